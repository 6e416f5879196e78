using System.Globalization;
using System.Text;

namespace CredBroker.Manifests.Planning;

/// <summary>The difference of two texts, line by line, with three lines around it.</summary>
public static class UnifiedDiff
{
    private const int Context = 3;

    // Beyond this the shortest difference is not worth its time: the changed middle is shown as replaced.
    private const int MaxEdits = 2000;

    /// <summary>A unified diff, or nothing when the texts are the same. Either side may be empty: the resource isn't there.</summary>
    public static string Make(string before, string after, string name)
    {
        var (a, b) = (Split(before), Split(after));
        var edits = Edits(a, b);
        if (edits.All(edit => edit.Sign == ' ')) return "";
        var text = new StringBuilder();
        text.Append("--- ").Append(a.Length == 0 ? "/dev/null" : $"current/{name}").Append('\n');
        text.Append("+++ ").Append(b.Length == 0 ? "/dev/null" : $"desired/{name}").Append('\n');
        foreach (var (start, end) in Hunks(edits)) AppendHunk(text, edits, start, end);
        return text.ToString();
    }

    private static string[] Split(string text) => text.Length == 0 ? [] : text.TrimEnd('\n').Split('\n');

    private static List<Edit> Edits(string[] a, string[] b)
    {
        var head = 0;
        while (head < a.Length && head < b.Length && a[head] == b[head]) head++;
        var tail = 0;
        while (tail < a.Length - head && tail < b.Length - head && a[^(tail + 1)] == b[^(tail + 1)]) tail++;

        var edits = new List<Edit>(a.Length + b.Length);
        edits.AddRange(a.Take(head).Select(line => new Edit(' ', line)));
        edits.AddRange(Middle(a[head..^tail], b[head..^tail]));
        edits.AddRange(a.Skip(a.Length - tail).Select(line => new Edit(' ', line)));
        return edits;
    }

    // Myers' O(ND) algorithm: the furthest reach on each diagonal, kept per number of edits, then walked back.
    private static List<Edit> Middle(string[] a, string[] b)
    {
        var max = Math.Min(a.Length + b.Length, MaxEdits);
        var trace = new List<int[]>();
        var reach = new int[(2 * max) + 3];
        for (var d = 0; d <= max; d++)
        {
            trace.Add(reach[(max + 1 - d - 1)..(max + 1 + d + 2)]);
            for (var k = -d; k <= d; k += 2)
            {
                var x = k == -d || (k != d && reach[max + k] < reach[max + 2 + k]) ? reach[max + 2 + k] : reach[max + k] + 1;
                while (x < a.Length && x - k < b.Length && a[x] == b[x - k]) x++;
                reach[max + 1 + k] = x;
                if (x >= a.Length && x - k >= b.Length) return WalkBack(trace, a, b);
            }
        }

        return [.. a.Select(line => new Edit('-', line)), .. b.Select(line => new Edit('+', line))];
    }

    private static List<Edit> WalkBack(List<int[]> trace, string[] a, string[] b)
    {
        var edits = new List<Edit>();
        var (x, y) = (a.Length, b.Length);
        for (var d = trace.Count - 1; d >= 0; d--)
        {
            var reach = trace[d];
            var k = x - y;
            var previous = k == -d || (k != d && reach[d + k] < reach[d + k + 2]) ? k + 1 : k - 1;
            var startX = d == 0 ? 0 : reach[d + 1 + previous];
            var startY = d == 0 ? 0 : startX - previous;
            for (; x > startX && y > startY; x--, y--) edits.Add(new(' ', a[x - 1]));
            if (d == 0) break;
            edits.Add(x == startX ? new('+', b[--y]) : new('-', a[--x]));
        }

        edits.Reverse();
        return edits;
    }

    private static IEnumerable<(int Start, int End)> Hunks(List<Edit> edits)
    {
        var start = -1;
        var end = -1;
        for (var i = 0; i < edits.Count; i++)
        {
            if (edits[i].Sign == ' ') continue;
            if (start >= 0 && i - Context > end)
            {
                yield return (start, end);
                start = -1;
            }

            if (start < 0) start = Math.Max(0, i - Context);
            end = Math.Min(edits.Count, i + Context + 1);
        }

        if (start >= 0) yield return (start, end);
    }

    private static void AppendHunk(StringBuilder text, List<Edit> edits, int start, int end)
    {
        var before = edits.Take(start).Count(edit => edit.Sign != '+');
        var after = edits.Take(start).Count(edit => edit.Sign != '-');
        var hunk = edits[start..end];
        var (removed, added) = (hunk.Count(edit => edit.Sign != '+'), hunk.Count(edit => edit.Sign != '-'));
        text.Append(CultureInfo.InvariantCulture, $"@@ -{Range(before, removed)} +{Range(after, added)} @@\n");
        foreach (var edit in hunk) text.Append(edit.Sign).Append(edit.Line).Append('\n');
    }

    private static string Range(int before, int count) => string.Create(CultureInfo.InvariantCulture, $"{(count == 0 ? before : before + 1)},{count}");

    private readonly record struct Edit(char Sign, string Line);
}
