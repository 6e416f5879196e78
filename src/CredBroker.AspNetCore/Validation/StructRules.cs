using System.Globalization;
using CredBroker.Contracts.V1;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.AspNetCore.Validation;

/// <summary>What the contract's rules say about a free-form object.</summary>
internal static class StructRules
{
    private const int DefaultDepth = 16;
    private static readonly Rules Text = new() { Characters = Rules.Types.Characters.Lines };
    private static readonly Rules Key = new() { MinLen = 1, MaxLen = 256 };

    /// <summary>Everything that is wrong with it.</summary>
    public static IEnumerable<string> Faults(Struct value, Rules? rules)
    {
        if (rules is { MaxBytes: > 0 } && value.CalculateSize() > rules.MaxBytes)
            yield return string.Create(CultureInfo.InvariantCulture, $"It is larger than {rules.MaxBytes} bytes.");
        foreach (var fault in Walk(value, rules is { MaxDepth: > 0 } ? rules.MaxDepth : DefaultDepth)) yield return fault;
    }

    private static IEnumerable<string> Walk(Struct value, int depth)
    {
        if (depth == 0)
        {
            yield return "It is nested too deep.";
            yield break;
        }

        foreach (var (key, member) in value.Fields)
        {
            if (TextRules.Fault(key, Key) is { } fault) yield return $"The key {Printable.Quote(key)}: {fault}";
            foreach (var inner in Walk(member, depth - 1)) yield return $"{Printable.Quote(key)}: {inner}";
        }
    }

    private static IEnumerable<string> Walk(Value value, int depth)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.StringValue:
                return TextRules.Fault(value.StringValue, Text) is { } fault ? [fault] : [];
            case Value.KindOneofCase.NumberValue:
                return double.IsFinite(value.NumberValue) ? [] : ["It is not a finite number."];
            case Value.KindOneofCase.StructValue:
                return Walk(value.StructValue, depth);
            case Value.KindOneofCase.ListValue:
                return depth == 0 ? ["It is nested too deep."] : value.ListValue.Values.SelectMany(item => Walk(item, depth - 1));
            default:
                return [];
        }
    }
}
