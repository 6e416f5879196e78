namespace CredBroker.Cedar.Tests.Differential;

/// <summary>
/// A finite sequence of choices that a generator makes, so that what is generated can be made smaller: fewer choices, and smaller numbers. When the sequence is
/// at its end, every choice is the first, which must be the simplest.
/// </summary>
internal sealed class Choices(byte[] bytes)
{
    private int _next;

    /// <summary>A number from 0, below <paramref name="count"/>.</summary>
    public int Next(int count)
    {
        if (count <= 1 || _next >= bytes.Length)
            return 0;
        var value = (int)bytes[_next++];
        if (count > 256 && _next < bytes.Length)
            value = value << 8 | bytes[_next++];
        return value % count;
    }

    public bool OneIn(int count) => Next(count) == count - 1;

    public T Of<T>(params ReadOnlySpan<T> values) => values[Next(values.Length)];

    public List<T> Many<T>(int max, Func<T> make) => [.. Enumerable.Range(0, Next(max + 1)).Select(_ => make())];

    /// <summary>Makes a failing sequence smaller, as long as it still fails.</summary>
    public static byte[] Shrink(byte[] failing, Func<byte[], bool> fails, int attempts)
    {
        for (var progress = true; progress;)
        {
            progress = false;
            foreach (var smaller in Smaller(failing))
            {
                if (attempts-- <= 0)
                    return failing;
                if (!fails(smaller))
                    continue;
                (failing, progress) = (smaller, true);
                break;
            }
        }
        return failing;
    }

    private static IEnumerable<byte[]> Smaller(byte[] bytes)
    {
        for (var size = bytes.Length / 2; size >= 1; size /= 2)
        {
            for (var start = 0; start + size <= bytes.Length; start += size)
                yield return [.. bytes[..start], .. bytes[(start + size)..]];
        }
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] > 0)
                yield return [.. bytes[..i], 0, .. bytes[(i + 1)..]];
        }
    }
}
