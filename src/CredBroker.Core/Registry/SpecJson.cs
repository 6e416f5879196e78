using System.Text.Json;
using CredBroker.Abstractions;

namespace CredBroker.Core.Registry;

/// <summary>Specifications as the registry keeps them.</summary>
public static class SpecJson
{
    /// <summary>Writes a specification.</summary>
    public static string Write<T>(T spec)
        where T : class => Document<T>.Write(spec).GetRawText();

    /// <summary>Reads a specification.</summary>
    public static T Read<T>(string json)
        where T : class
    {
        using var document = JsonDocument.Parse(json);
        return Document<T>.Read(document.RootElement.Clone());
    }
}
