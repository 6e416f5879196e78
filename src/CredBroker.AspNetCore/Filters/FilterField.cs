using System.Globalization;

namespace CredBroker.AspNetCore.Filters;

/// <summary>A field that a filter may name.</summary>
/// <param name="Name">Its name; one that ends in <c>.*</c> allows all below it.</param>
/// <param name="Operators">How it can be compared.</param>
/// <param name="Accepts">Whether a value is one of its.</param>
/// <param name="Expected">What its values are, for messages.</param>
public sealed record FilterField(string Name, IReadOnlyList<string> Operators, Func<string, bool> Accepts, string Expected)
{
    /// <summary>Text, compared as a whole.</summary>
    public static FilterField Text(string name) => new(name, ["="], _ => true, "text");

    /// <summary>A resource name that begins with the collection.</summary>
    public static FilterField Resource(string name, string collection) =>
        new(name, ["="], value => value.StartsWith(collection + "/", StringComparison.Ordinal), $"a name such as {collection}/…");

    /// <summary>One of an enum's values, as JSON writes them.</summary>
    public static FilterField OneOf<T>(string name)
        where T : struct, Enum
    {
        var values = Enum.GetValues<T>().Where(value => Convert.ToInt32(value, CultureInfo.InvariantCulture) != 0).Select(value => ProtoEnum.NameOf(value)).ToList();
        return new(name, ["="], value => values.Contains(value), "one of " + string.Join(", ", values));
    }

    /// <summary>True or false.</summary>
    public static FilterField Flag(string name) => new(name, ["="], value => value is "true" or "false", "true or false");

    /// <summary>A point in time, in RFC 3339.</summary>
    public static FilterField Time(string name) => new(name, ["<", ">="], value => TryTime(value, out _), "a point in time such as \"2026-01-31T12:00:00Z\"");

    /// <summary>Reads a point in time.</summary>
    public static bool TryTime(string value, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(
            value, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);

    /// <summary>Whether this is the field of that name.</summary>
    public bool Takes(string name) =>
        Name == name || (Name.EndsWith(".*", StringComparison.Ordinal) && name.Length > Name.Length - 1 && name.StartsWith(Name[..^1], StringComparison.Ordinal));
}
