using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace CredBroker.Cedar;

/// <summary>A <c>duration</c>, in milliseconds, of either sign.</summary>
/// <param name="milliseconds">The length.</param>
public sealed class CedarDuration(long milliseconds) : CedarValue
{
    private static readonly (string Unit, long Milliseconds)[] Units =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

    /// <summary>The length in milliseconds.</summary>
    public long Milliseconds { get; } = milliseconds;

    /// <inheritdoc/>
    public override string TypeName => "duration";

    /// <summary>The duration that a <see cref="TimeSpan"/> lasts, cut to whole milliseconds.</summary>
    public static CedarDuration From(TimeSpan span) => new(span.Ticks / TimeSpan.TicksPerMillisecond);

    /// <summary>Reads quantities with units from large to small, such as <c>1d2h3m4s5ms</c>, with an optional minus sign.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out CedarDuration? value)
    {
        value = null;
        var negative = text.StartsWith('-');
        var rest = text.AsSpan(negative ? 1 : 0);
        if (rest.IsEmpty)
            return false;
        Int128 total = 0;
        for (var next = 0; !rest.IsEmpty;)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0 || !ulong.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var quantity))
                return false;
            rest = rest[digits..];
            var letters = rest.IndexOfAnyInRange('0', '9');
            var unit = (letters < 0 ? rest : rest[..letters]).ToString();
            next = Array.FindIndex(Units, next, u => u.Unit == unit) + 1;
            if (next == 0)
                return false;
            total += (Int128)quantity * Units[next - 1].Milliseconds;
            rest = rest[unit.Length..];
        }
        if (negative)
            total = -total;
        if (total < long.MinValue || total > long.MaxValue)
            return false;
        value = new CedarDuration((long)total);
        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(CedarValue? other) => other is CedarDuration d && d.Milliseconds == Milliseconds;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(7, Milliseconds);

    /// <inheritdoc/>
    public override string ToString() => $"duration(\"{ToLiteral()}\")";

    internal string ToLiteral() => string.Create(CultureInfo.InvariantCulture, $"{Milliseconds}ms");
}
