namespace CredBroker.AspNetCore.Json;

/// <summary>A path of the contract, such as <c>/v1/{name=tasks/*}:end</c>: where its one variable stands.</summary>
internal sealed record PathTemplate(string Field, int FirstSegment, int Segments, string Verb)
{
    /// <summary>Reads a template; null when it has no variable.</summary>
    public static PathTemplate? Parse(string template)
    {
        var open = template.IndexOf('{', StringComparison.Ordinal);
        if (open < 0) return null;
        var close = template.IndexOf('}', open);
        var parts = template[(open + 1)..close].Split('=', 2);
        var verb = template[(close + 1)..];
        return new PathTemplate(
            parts[0],
            template[..open].Count(c => c == '/') - 1,
            parts.Length == 1 ? 1 : parts[1].Count(c => c == '/') + 1,
            verb.StartsWith(':') ? verb : "");
    }

    /// <summary>What a path that matched the template says that the variable is.</summary>
    public string ValueIn(string path)
    {
        var segments = path.TrimStart('/').Split('/').Skip(FirstSegment).Take(Segments);
        var value = string.Join('/', segments);
        return Verb.Length > 0 && value.EndsWith(Verb, StringComparison.Ordinal) ? value[..^Verb.Length] : value;
    }
}
