using System.Collections;
using System.Globalization;
using CredBroker.Abstractions;
using CredBroker.Contracts;
using CredBroker.Contracts.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.AspNetCore.Validation;

/// <summary>Holds a request against the rules of the contract, driven by its descriptors. What only answers carry is not looked at.</summary>
/// <param name="jsonNames">Whether fields are called as in JSON; else as in the .proto files.</param>
public sealed class RequestValidator(bool jsonNames)
{
    /// <summary>Every violation, in the order of the fields.</summary>
    public IReadOnlyList<ValidationError> Validate(IMessage request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var violations = new List<ValidationError>();
        var update = request.Descriptor.FindFieldByName("update_mask") is { } mask ? new UpdateScope((FieldMask?)mask.Accessor.GetValue(request)) : null;
        Check(request, "", update, depth: 0, violations);
        return violations;
    }

    private void Check(IMessage message, string path, UpdateScope? update, int depth, List<ValidationError> found)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (ContractDescriptors.IsOutputOnly(field)) continue;
            var rules = ContractDescriptors.RulesOf(field);
            var at = path.Length == 0 ? NameOf(field) : $"{path}.{NameOf(field)}";
            var value = field.Accessor.GetValue(message);
            if (IsAbsent(field, value, message))
            {
                var demanded = rules is { Required: true } && (depth == 0 || update is null || update.Demands(field, depth));
                if (demanded || (update is not null && depth == 1 && field.Name == "name")) found.Add(new(at, "It is required."));
                continue;
            }

            if (field.IsMap) CheckMap(field, (IDictionary)value, rules, at, depth, found);
            else if (field.IsRepeated) CheckList(field, (IList)value, rules, at, depth, found);
            else CheckValue(field, value, rules, at, update, depth, found);
        }
    }

    private void CheckList(FieldDescriptor field, IList list, Rules? rules, string at, int depth, List<ValidationError> found)
    {
        if (!HasRightCount(list.Count, rules, at, found)) return;
        for (var i = 0; i < list.Count; i++)
            CheckValue(field, list[i]!, rules, string.Create(CultureInfo.InvariantCulture, $"{at}[{i}]"), null, depth, found);
    }

    private void CheckMap(FieldDescriptor field, IDictionary map, Rules? rules, string at, int depth, List<ValidationError> found)
    {
        if (!HasRightCount(map.Count, rules, at, found)) return;
        var valueField = field.MessageType.FindFieldByNumber(2);
        foreach (DictionaryEntry entry in map)
        {
            var of = $"{at}[{Printable.Quote(entry.Key.ToString() ?? "")}]";
            if (rules?.Keys is { } keys && entry.Key is string key && TextRules.Fault(key, keys) is { } fault) found.Add(new(of, "The key: " + fault));
            CheckValue(valueField, entry.Value!, rules, of, null, depth, found);
        }
    }

    private void CheckValue(FieldDescriptor field, object value, Rules? rules, string at, UpdateScope? update, int depth, List<ValidationError> found)
    {
        switch (value)
        {
            case string text when TextRules.Fault(text, rules ?? new Rules()) is { } fault:
                found.Add(new(at, fault));
                break;
            case ByteString bytes when rules is { MaxLen: > 0 } && bytes.Length > rules.MaxLen:
                found.Add(new(at, string.Create(CultureInfo.InvariantCulture, $"It has more than {rules.MaxLen} bytes.")));
                break;
            case int or long or uint when rules is not null:
                CheckNumber(Convert.ToInt64(value, CultureInfo.InvariantCulture), rules, at, found);
                break;
            case Duration duration when TimeRules.Fault(duration, rules) is { } fault:
                found.Add(new(at, fault));
                break;
            case Timestamp time when TimeRules.Fault(time) is { } fault:
                found.Add(new(at, fault));
                break;
            case Struct free:
                found.AddRange(StructRules.Faults(free, rules).Select(fault => new ValidationError(at, fault)));
                break;
            case FieldMask mask when mask.Paths.Count > 100 || mask.Paths.Any(p => p.Length > 256):
                found.Add(new(at, "It names too many fields."));
                break;
            case IMessage message when message.Descriptor.File.Package == "credbroker.v1":
                Check(message, at, update, depth + 1, found);
                break;
            default:
                if (field.FieldType == FieldType.Enum && field.EnumType.FindValueByNumber(Convert.ToInt32(value, CultureInfo.InvariantCulture)) is null)
                    found.Add(new(at, "It is none of the values."));
                break;
        }
    }

    private static void CheckNumber(long number, Rules rules, string at, List<ValidationError> found)
    {
        if (rules.HasMin && number < rules.Min) found.Add(new(at, string.Create(CultureInfo.InvariantCulture, $"It is less than {rules.Min}.")));
        if (rules.HasMax && number > rules.Max) found.Add(new(at, string.Create(CultureInfo.InvariantCulture, $"It is more than {rules.Max}.")));
    }

    private static bool HasRightCount(int count, Rules? rules, string at, List<ValidationError> found)
    {
        if (rules is { MaxItems: > 0 } && count > rules.MaxItems)
        {
            found.Add(new(at, string.Create(CultureInfo.InvariantCulture, $"It has more than {rules.MaxItems} elements.")));
            return false;
        }

        if (rules is not null && count < rules.MinItems)
            found.Add(new(at, string.Create(CultureInfo.InvariantCulture, $"It needs at least {rules.MinItems} elements.")));
        return true;
    }

    private static bool IsAbsent(FieldDescriptor field, object? value, IMessage message) => field switch
    {
        { IsRepeated: true } => value is ICollection { Count: 0 },
        { HasPresence: true } => !field.Accessor.HasValue(message),
        { FieldType: FieldType.Enum } => Convert.ToInt32(value, CultureInfo.InvariantCulture) == 0,
        _ => value is null or "" or 0 or 0L or false or ByteString { Length: 0 },
    };

    private string NameOf(FieldDescriptor field) => jsonNames ? field.JsonName : field.Name;

    /// <summary>An update demands what the resource needs only where it changes it: what isn't named stays as it is.</summary>
    private sealed class UpdateScope(FieldMask? mask)
    {
        public bool Demands(FieldDescriptor field, int depth) =>
            depth > 1 || (mask is not null && mask.Paths.Any(path => path == "*" || path == field.Name));
    }
}
