using System.Text.Json.Serialization;

namespace CredBroker.Providers.Azure.Connect;

/// <summary>The shape of an error of Graph, Resource Manager and Key Vault.</summary>
internal sealed record ErrorEnvelope(ServiceError? Error);

/// <summary>An error.</summary>
internal sealed record ServiceError(string? Code, string? Message, [property: JsonPropertyName("innererror")] InnerError? Inner)
{
    public static ServiceError None { get; } = new(null, null, null);

    public bool Is(string code) => string.Equals(Code, code, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The error behind it: Key Vault says there what a 403 means.</summary>
internal sealed record InnerError(string? Code);

/// <summary>A token, from the token endpoint.</summary>
internal sealed record TokenAnswer(
    [property: JsonPropertyName("access_token")] string? AccessToken, [property: JsonPropertyName("expires_in")] long ExpiresIn, [property: JsonPropertyName("token_type")] string? TokenType);

/// <summary>An error of the token endpoint: its codes are stable, its words are not.</summary>
internal sealed record TokenError(
    [property: JsonPropertyName("error")] string? Error, [property: JsonPropertyName("error_description")] string? Description, [property: JsonPropertyName("error_codes")] IReadOnlyList<long>? Codes);

/// <summary>The claims of a token that a check looks at.</summary>
internal sealed record TokenClaims([property: JsonPropertyName("tid")] string? Tenant, [property: JsonPropertyName("roles")] IReadOnlyList<string>? Roles, [property: JsonPropertyName("oid")] string? ObjectId);

/// <summary>One page of a listing.</summary>
internal sealed record Page<T>(IReadOnlyList<T>? Value, [property: JsonPropertyName("@odata.nextLink")] string? ODataNext, [property: JsonPropertyName("nextLink")] string? Next);

/// <summary>An application.</summary>
internal sealed record Application
{
    public string? Id { get; init; }

    public string? AppId { get; init; }

    public string? DisplayName { get; init; }

    public string? UniqueName { get; init; }

    public string? Notes { get; init; }

    public string? SignInAudience { get; init; }

    public IReadOnlyList<Password>? PasswordCredentials { get; init; }
}

/// <summary>A password of an application. Its hint, the first characters of the secret, is never read.</summary>
internal sealed record Password
{
    public string? KeyId { get; init; }

    public string? DisplayName { get; init; }

    public string? EndDateTime { get; init; }

    public string? SecretText { get; init; }
}

internal sealed record AddPassword(Password PasswordCredential);

internal sealed record RemovePassword(string KeyId);

internal sealed record ServicePrincipal
{
    public string? Id { get; init; }

    public string? AppId { get; init; }

    public bool? AccountEnabled { get; init; }

    public string? Notes { get; init; }
}

internal sealed record FederatedCredential(string Name, string Issuer, string Subject, string Description, IReadOnlyList<string> Audiences);

internal sealed record RoleAssignment(string? Id, string? Name, RoleAssignmentProperties? Properties);

internal sealed record RoleAssignmentProperties
{
    public string? RoleDefinitionId { get; init; }

    public string? PrincipalId { get; init; }

    public string? PrincipalType { get; init; }

    public string? Scope { get; init; }

    public string? Description { get; init; }
}

internal sealed record PutRoleAssignment(RoleAssignmentProperties Properties);

/// <summary>What the broker may do at a scope.</summary>
internal sealed record PermissionSet(IReadOnlyList<string>? Actions, IReadOnlyList<string>? NotActions);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 32)]
[JsonSerializable(typeof(ErrorEnvelope))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(TokenError))]
[JsonSerializable(typeof(TokenClaims))]
[JsonSerializable(typeof(Application))]
[JsonSerializable(typeof(Page<Application>))]
[JsonSerializable(typeof(Password))]
[JsonSerializable(typeof(AddPassword))]
[JsonSerializable(typeof(RemovePassword))]
[JsonSerializable(typeof(ServicePrincipal))]
[JsonSerializable(typeof(FederatedCredential))]
[JsonSerializable(typeof(RoleAssignment))]
[JsonSerializable(typeof(Page<RoleAssignment>))]
[JsonSerializable(typeof(PutRoleAssignment))]
[JsonSerializable(typeof(Page<PermissionSet>))]
[JsonSerializable(typeof(AzureHandle))]
internal sealed partial class AzureJson : JsonSerializerContext;
