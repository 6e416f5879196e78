using System.Text.Json;
using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Roles;

/// <summary>Takes out of an answer what a template names.</summary>
internal static class Answers
{
    /// <summary>The named members; null with the first that is missing.</summary>
    public static IReadOnlyDictionary<string, CredentialField>? Take(JsonElement? data, IReadOnlyList<string> fields, out string missing)
    {
        missing = "";
        var taken = new Dictionary<string, CredentialField>(StringComparer.Ordinal);
        foreach (var field in fields)
        {
            if (data is not { ValueKind: JsonValueKind.Object } members || !members.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null)
            {
                missing = field;
                return null;
            }

            taken[field] = value.ValueKind == JsonValueKind.String
                ? new CredentialField(new Secret(value.GetString()!), value.GetString()!.StartsWith("-----BEGIN ", StringComparison.Ordinal) ? "application/x-pem-file" : "text/plain")
                : new CredentialField(new Secret(value.GetRawText()), "application/json");
        }

        return taken;
    }
}
