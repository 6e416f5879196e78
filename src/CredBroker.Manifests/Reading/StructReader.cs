using System.Globalization;
using CredBroker.Manifests.Yaml;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Manifests.Reading;

/// <summary>Reads a provider's own documents: JSON's values, with JSON's words and numbers alone where nothing is quoted.</summary>
internal static class StructReader
{
    public static Struct Read(YamlMap map, string path, ErrorList errors)
    {
        var result = new Struct();
        foreach (var entry in map.Entries) result.Fields[entry.Key] = ReadValue(entry.Value, $"{path}.{entry.Key}", errors);
        return result;
    }

    private static Value ReadValue(YamlNode node, string path, ErrorList errors)
    {
        switch (node)
        {
            case YamlMap map:
                return Value.ForStruct(Read(map, path, errors));
            case YamlList list:
                return Value.ForList([.. list.Items.Select((item, index) => ReadValue(item, $"{path}[{index}]", errors))]);
            case YamlScalar { Plain: false } scalar:
                return Value.ForString(scalar.Text);
            case YamlScalar { Text: "" } scalar:
                errors.Add(scalar, path, "There is no value: write null, \"\", {} or [], or leave the key out.");
                return Value.ForNull();
            case YamlScalar scalar when YamlText.IsAmbiguous(scalar.Text):
                errors.Add(scalar, path, $"'{scalar.Text}' means different things to different readers of YAML: quote it, or write true, false, null or a decimal number.");
                return Value.ForNull();
            case YamlScalar { Text: "null" }:
                return Value.ForNull();
            case YamlScalar { Text: "true" or "false" } scalar:
                return Value.ForBool(scalar.Text == "true");
            case YamlScalar scalar when YamlText.IsNumber(scalar.Text):
                return Number(scalar, path, errors);
            default:
                return Value.ForString(((YamlScalar)node).Text);
        }
    }

    private static Value Number(YamlScalar scalar, string path, ErrorList errors)
    {
        var number = double.Parse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (double.IsInfinity(number) || (!scalar.Text.AsSpan().ContainsAny('.', 'e', 'E') && Math.Abs(number) > 9_007_199_254_740_991))
            errors.Add(scalar, path, "This number is larger than JSON's readers agree on: quote it.");
        return Value.ForNumber(number);
    }
}
