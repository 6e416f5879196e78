namespace CredBroker.Manifests.Reading;

/// <summary>Guesses what a misspelled key was meant to be.</summary>
internal static class Spelling
{
    /// <summary>" Did you mean 'x'?", or the known keys when none is near.</summary>
    public static string Suggest(string given, IReadOnlyCollection<string> known)
    {
        var bare = Bare(given);
        var near = known.Select(word => (Word: word, Distance: Distance(bare, Bare(word)))).OrderBy(pair => pair.Distance).FirstOrDefault();
        if (near.Word is not null && near.Distance <= Math.Max(1, bare.Length / 3)) return $" Did you mean '{near.Word}'?";
        return known.Count == 0 ? "" : $" Known here: {string.Join(", ", known)}.";
    }

    private static string Bare(string word) => word.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();

    private static int Distance(string left, string right)
    {
        var a = left.AsSpan(0, Math.Min(left.Length, 64));
        var b = right.AsSpan(0, Math.Min(right.Length, 64));
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) row[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitution, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
