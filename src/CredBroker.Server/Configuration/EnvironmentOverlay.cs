using CredBroker.Abstractions;

namespace CredBroker.Server.Configuration;

/// <summary>
/// Lays environment variables over the file: <c>CREDBROKER__INSTALLATION__PUBLIC_URL</c> is <c>installation.publicUrl</c>, and
/// <c>CREDBROKER__EGRESS__ALLOW__0</c> the first of a list. A variable of that form which names nothing is an error.
/// </summary>
internal static class EnvironmentOverlay
{
    /// <summary>What every such variable begins with.</summary>
    public const string Prefix = "CREDBROKER__";

    /// <summary>The variables of this process.</summary>
    public static IReadOnlyDictionary<string, string> Current() => Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
        .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "", StringComparer.Ordinal);

    public static void Apply(ConfigurationNode.Mapping root, IEnumerable<KeyValuePair<string, string>> variables, ConfigurationErrors errors)
    {
        // In order, so that the items of a list come one after the other (10 after 9).
        foreach (var (name, value) in variables.Where(variable => variable.Key.StartsWith(Prefix, StringComparison.Ordinal))
            .OrderBy(variable => variable.Key.Length).ThenBy(variable => variable.Key, StringComparer.Ordinal))
        {
            Set(root, Shape.Of(typeof(ServerConfiguration)), name[Prefix.Length..].Split("__"), "", new ConfigurationNode.Scalar(name, value, Empty: value.Length == 0), errors);
        }
    }

    private static void Set(ConfigurationNode node, Shape shape, ReadOnlySpan<string> rest, string path, ConfigurationNode.Scalar value, ConfigurationErrors errors)
    {
        switch (shape, node)
        {
            case (Shape.Record record, ConfigurationNode.Mapping mapping):
                if (Find(record, rest[0]) is not { } key)
                {
                    errors.Form(value.Origin, path, Unknown(record, rest[0], path));
                    return;
                }

                var inner = record.Members[key];
                Descend(mapping.Members.GetValueOrDefault(key), inner, rest[1..], path.Length == 0 ? key : $"{path}.{key}", value, errors, made => mapping.Members[key] = made);
                return;
            case (Shape.ListOf list, ConfigurationNode.Sequence sequence):
                if (!int.TryParse(rest[0], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var index) || index > sequence.Items.Count)
                {
                    errors.Form(value.Origin, path, $"A list is set item by item, from __0 on without gaps; the next one is __{sequence.Items.Count}.");
                    return;
                }

                var item = index < sequence.Items.Count ? sequence.Items[index] : null;
                Descend(item, list.Item, rest[1..], $"{path}[{index}]", value, errors, made =>
                {
                    if (index < sequence.Items.Count) sequence.Items[index] = made;
                    else sequence.Items.Add(made);
                });
                return;
            default:
                errors.Form(value.Origin, path, "This cannot be set by an environment variable: write it in the file.");
                return;
        }
    }

    private static void Descend(
        ConfigurationNode? node, Shape shape, ReadOnlySpan<string> rest, string path, ConfigurationNode.Scalar value, ConfigurationErrors errors, Action<ConfigurationNode> put)
    {
        if (shape is Shape.Scalar)
        {
            if (rest.Length > 0) errors.Form(value.Origin, path, $"This is {((Shape.Scalar)shape).Expected}: nothing is below it.");
            else put(value);
            return;
        }

        if (rest.Length == 0)
        {
            errors.Form(value.Origin, path, shape is Shape.ListOf ? "A list is set item by item: add __0." : "This is a section: set the keys in it.");
            return;
        }

        if (node is null or ConfigurationNode.Scalar { Empty: true })
        {
            node = shape is Shape.ListOf ? new ConfigurationNode.Sequence(value.Origin, []) : new ConfigurationNode.Mapping(value.Origin, []);
            put(node);
        }

        Set(node, shape, rest, path, value, errors);
    }

    private static string Unknown(Shape.Record record, string segment, string path)
    {
        var names = record.Members.Keys.Select(Spell).ToList();
        var near = names.MinBy(name => Spelling.Distance(name, segment))!;
        var hint = Spelling.Distance(near, segment) <= 3 ? $"Did you mean {near}?" : $"There are: {string.Join(", ", names)}.";
        return $"There is no {segment}{(path.Length == 0 ? "" : $" in {path}")}. {hint}";
    }

    private static string? Find(Shape.Record record, string segment) =>
        record.Members.Keys.FirstOrDefault(key => string.Equals(Spell(key), segment, StringComparison.Ordinal));

    /// <summary><c>publicUrl</c> → <c>PUBLIC_URL</c>.</summary>
    internal static string Spell(string key) => System.Text.Json.JsonNamingPolicy.SnakeCaseUpper.ConvertName(key);
}
