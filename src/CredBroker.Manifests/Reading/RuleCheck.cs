using System.Collections;
using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using CredBroker.Contracts;
using CredBroker.Contracts.V1;
using CredBroker.Manifests.Yaml;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Manifests.Reading;

/// <summary>
/// Holds a message against the contract's rules, to say early and with a line what the broker would refuse. The broker's own
/// validator has the last word.
/// </summary>
internal static class RuleCheck
{
    private static readonly ConcurrentDictionary<string, Regex> Patterns = new(StringComparer.Ordinal);

    public static void Check(IMessage message, YamlMap map, string path, IReadOnlyList<FieldDescriptor> fields, ErrorList errors)
    {
        foreach (var field in fields)
        {
            if (ContractDescriptors.RulesOf(field) is not { } rules) continue;
            var entry = map.Find(field.JsonName);
            var at = $"{path}.{field.JsonName}";
            if (entry is null)
            {
                if (rules.Required) errors.Add(map, at, "This is required.");
                continue;
            }

            foreach (var fault in Faults(field, rules, field.Accessor.GetValue(message))) errors.Add(entry.Value, at, fault);
        }
    }

    private static IEnumerable<string> Faults(FieldDescriptor field, Rules rules, object? value)
    {
        if (value is IDictionary map)
        {
            if (rules.Required && map.Count == 0) yield return "This is required.";
            if (rules.MaxItems > 0 && map.Count > rules.MaxItems) yield return $"At most {rules.MaxItems} entries.";
            foreach (DictionaryEntry entry in map)
            {
                foreach (var fault in Faults(rules, entry.Value)) yield return $"'{entry.Key}': {fault}";
                if (rules.Keys is not { } keys) continue;
                foreach (var fault in Faults(keys, entry.Key)) yield return $"Key '{entry.Key}': {fault}";
            }
        }
        else if (field.IsRepeated && value is IList list)
        {
            if (rules.Required && list.Count == 0) yield return "This is required.";
            if (rules.MaxItems > 0 && list.Count > rules.MaxItems) yield return $"At most {rules.MaxItems} items.";
            foreach (var item in list)
            {
                foreach (var fault in Faults(rules, item)) yield return fault;
            }
        }
        else
        {
            if (rules.Required && value is "") yield return "This is required.";
            foreach (var fault in Faults(rules, value)) yield return fault;
        }
    }

    private static IEnumerable<string> Faults(Rules rules, object? value)
    {
        switch (value)
        {
            case string { Length: > 0 } text:
                var length = text.EnumerateRunes().Count();
                if (rules.MaxLen > 0 && length > rules.MaxLen) yield return $"At most {rules.MaxLen} characters; these are {length}.";
                if (length < rules.MinLen) yield return $"At least {rules.MinLen} characters.";
                if (rules.Pattern.Length > 0 && !Pattern(rules.Pattern).IsMatch(text)) yield return $"'{text}' doesn't match {rules.Pattern}.";
                break;
            case "" when rules.MinLen > 0:
                yield return $"At least {rules.MinLen} characters.";
                break;
            case int or long:
                var number = Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture);
                if (rules.HasMin && number < rules.Min) yield return $"At least {rules.Min}.";
                if (rules.HasMax && number > rules.Max) yield return $"At most {rules.Max}.";
                break;
            case Duration duration:
                if (rules.MinDuration is { } min && duration.CompareTo(min) < 0) yield return $"At least {min.Seconds}s.";
                if (rules.MaxDuration is { } max && duration.CompareTo(max) > 0) yield return $"At most {max.Seconds}s.";
                break;
            case Struct document when rules.MaxBytes > 0 && document.CalculateSize() > rules.MaxBytes:
                yield return $"At most {rules.MaxBytes} bytes.";
                break;
        }
    }

    private static Regex Pattern(string pattern) =>
        Patterns.GetOrAdd(pattern, static text => new Regex($@"\A(?:{text})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
}
