using System.Collections.Concurrent;
using System.Text.Json;
using CredBroker.Abstractions;

namespace CredBroker.Server.Configuration;

/// <summary>The form of the configuration, made from the records themselves, so that reader, environment and documentation cannot disagree.</summary>
internal abstract record Shape
{
    private static readonly ConcurrentDictionary<Type, Shape> Known = new();

    private Shape()
    {
    }

    /// <summary>One value.</summary>
    public sealed record Scalar(Type Type) : Shape
    {
        /// <summary>The value as the document reader takes it; null when the text is none of this type.</summary>
        public JsonElement? Read(string text) => Type switch
        {
            _ when Type == typeof(string) => JsonSerializer.SerializeToElement(text),
            _ when Type == typeof(bool) => text is "true" or "false" ? JsonSerializer.SerializeToElement(text == "true") : null,
            _ when Type == typeof(int) => int.TryParse(text, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out var number)
                ? JsonSerializer.SerializeToElement(number) : null,
            _ when Type == typeof(TimeSpan) => DurationConverter.TryParse(text, out _) ? JsonSerializer.SerializeToElement(text) : null,
            _ when Type.IsEnum => Names.Contains(text) ? JsonSerializer.SerializeToElement(text) : null,
            _ => throw new InvalidOperationException($"The configuration cannot hold {Type}."),
        };

        /// <summary>What is expected, in words.</summary>
        public string Expected => Type switch
        {
            _ when Type == typeof(bool) => "true or false",
            _ when Type == typeof(int) => "a whole number",
            _ when Type == typeof(TimeSpan) => "a duration such as 250ms, 90s, 15m or 1h",
            _ when Type.IsEnum => $"one of {string.Join(", ", Names)}",
            _ => "a text",
        };

        private string[] Names => [.. Enum.GetNames(Type).Select(name => JsonNamingPolicy.KebabCaseLower.ConvertName(name))];
    }

    /// <summary>A list.</summary>
    public sealed record ListOf(Shape Item) : Shape;

    /// <summary>Names of the operator's choice, and their values.</summary>
    public sealed record MapOf(Shape Value) : Shape;

    /// <summary>Keys of ours.</summary>
    public sealed record Record(IReadOnlyDictionary<string, Shape> Members) : Shape;

    /// <summary>The form of a type.</summary>
    public static Shape Of(Type type) => Known.GetOrAdd(Nullable.GetUnderlyingType(type) ?? type, Make);

    private static Shape Make(Type type)
    {
        if (type == typeof(string) || type == typeof(bool) || type == typeof(int) || type == typeof(TimeSpan) || type.IsEnum) return new Scalar(type);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)) return new ListOf(Of(type.GetGenericArguments()[0]));
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>)) return new MapOf(Of(type.GetGenericArguments()[1]));
        var settable = type.GetProperties().Where(property => property.SetMethod is { IsPublic: true });
        return new Record(settable.ToDictionary(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name), property => Of(property.PropertyType), StringComparer.Ordinal));
    }

    /// <summary>Every key, as the documentation names it: <c>operator.identitySources[].oidc.issuer</c>.</summary>
    public IEnumerable<string> Paths(string prefix = "") => this switch
    {
        ListOf { Item: Record item } => item.Paths($"{prefix}[]"),
        MapOf => [prefix],
        Record record => record.Members.SelectMany(member => member.Value.Paths(prefix.Length == 0 ? member.Key : $"{prefix}.{member.Key}")),
        _ => [prefix],
    };
}
