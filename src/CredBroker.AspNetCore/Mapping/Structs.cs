using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.AspNetCore.Mapping;

/// <summary>Free-form objects between the contract and the domain.</summary>
internal static class Structs
{
    public static JsonElement ToJson(this Struct? value) => JsonSerializer.Deserialize<JsonElement>(value is null ? "{}" : JsonFormatter.Default.Format(value));

    public static Struct ToStruct(this JsonElement value) => Struct.Parser.ParseJson(value.GetRawText());

    public static Struct ToStruct(this JsonObject value) => Struct.Parser.ParseJson(value.ToJsonString());
}
