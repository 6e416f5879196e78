using System.Text.Json;
using CredBroker.Providers.Azure.Tests.StandIn;
using CredBroker.Testing.Conformance;

namespace CredBroker.Providers.Azure.Tests;

internal static class BadDocuments
{
    private const string Id = "6c1f6a3e-0f4d-4a3e-9d53-0a1a8a0f7b11";
    private const string Vault = "https://kv.vault.azure.net";
    private const string Rest = $"\"tenantId\":\"{Id}\",\"credential\":{{\"clientId\":\"{Id}\"}}";

    public static IReadOnlyList<JsonElement> Configurations { get; } =
    [
        .. new[]
        {
            "{}",
            """{"tenantId":"contoso.onmicrosoft.com","credential":{"clientId":"ID"}}""",
            """{"tenantId":"ID/../ID","credential":{"clientId":"ID"}}""",
            """{"tenantId":"ID"}""",
            """{"tenantId":"ID","credential":{"clientId":"broker"}}""",
            """{"tenantId":"ID","credential":{"clientId":"ID","kind":"managed-identity"}}""",
            """{"tenantId":"ID","credential":{"clientId":"ID","kind":"client-secret"}}""",
            """{"tenantId":"ID","credential":{"clientId":"ID","kind":"client-secret","secret":"plain"}}""",
            """{"tenantId":"ID","credential":{"clientId":"ID","kind":"client-certificate"}}""",
            """{"tenantId":"ID","credential":{"clientId":"ID","secret":{"source":"s"}}}""",
            """{"tenantId":"ID","credential":{"clientId":"ID","kind":"client-secret","secret":{"source":"../../etc/passwd"}}}""",
            """{REST,"cloud":"germany"}""",
            """{REST,"endpoints":{"authority":"https://login.example","graph":"https://localhost:1","resourceManager":"https://localhost:1"}}""",
            """{REST,"endpoints":{"authority":"http://localhost:1","graph":"https://localhost:1","resourceManager":"https://localhost:1"}}""",
            """{REST,"endpoints":{"authority":"https://localhost:1","graph":"https://localhost:1/v1.0","resourceManager":"https://localhost:1"}}""",
            """{REST,"endpoints":{"authority":"https://localhost:1","graph":"https://localhost:1","resourceManager":"https://user@localhost:1"}}""",
            """{REST,"endpoints":{"authority":"https://localhost:1","graph":"https://localhost:1"}}""",
            """{REST,"scopes":["/"]}""",
            """{REST,"scopes":["/subscriptions/ID/"]}""",
            """{REST,"scopes":["/providers/Microsoft.Management/managementGroups/all"]}""",
            """{REST,"scopes":["/subscriptions/ID/resourceGroups/.."]}""",
            """{REST,"scopes":["/subscriptions/ID","/subscriptions/ID"]}""",
            """{REST,"vaults":["https://example.com"]}""",
            """{REST,"vaults":["http://kv.vault.azure.net"]}""",
            """{REST,"vaults":["https://kv.vault.azure.net:8443"]}""",
            """{REST,"vaults":["https://evil.example/.vault.azure.net"]}""",
            """{REST,"vaults":["https://a.b.vault.azure.net"]}""",
            """{REST,"cloud":"china","vaults":["https://kv.vault.azure.net"]}""",
            """{REST,"sharedApplications":["shared"]}""",
            """{REST,"applications":false}""",
            """{REST,"callTimeout":"0s"}""",
            """{REST,"callTimeout":"2m"}""",
            """{REST,"clientSecret":"x"}""",
        }.Select(json => JsonElement.Parse(json.Replace("REST", Rest, StringComparison.Ordinal).Replace("ID", Id, StringComparison.Ordinal))),
    ];

    public static IReadOnlyList<RoleExample> Roles { get; } =
    [
        .. new[]
        {
            "{}",
            """{"assignments":[]}""",
            Assign("/", AzureStandIn.Reader),
            Assign(AzureStandIn.Group, "Reader"),
            Assign(AzureStandIn.Group, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
            Assign(AzureStandIn.Group, "18D7D88D-D35E-4FB5-A5C3-7773C20A72D9"),
            Assign(AzureStandIn.Group, "f58310d9-a9f6-439a-9e8d-f62e7b41a168"),
            Assign("/subscriptions/99999999-2222-3333-4444-555555555555", AzureStandIn.Reader),
            Assign($"{AzureStandIn.Group}-elsewhere", AzureStandIn.Reader),
            Assign($"{AzureStandIn.Group}/providers/Microsoft.Storage/storageAccounts/../x", AzureStandIn.Reader),
            Assign($"{AzureStandIn.Group}/providers/Microsoft.Storage/storageAccounts/{{{{account}}}}", AzureStandIn.Reader),
            Assign($"{AzureStandIn.Group}?api-version=1", AzureStandIn.Reader),
            $$"""{"assignments":[{"scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}"},{"scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}"}]}""",
            $$"""{"assignments":[{"scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}"}],"settle":"1m"}""",
        }.Select(json => RoleExample.Of("app-password", json)),
        RoleExample.Of("app-federated", $$"""{"audience":"http://storage.azure.com","assignments":[{"scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}"}]}"""),
        RoleExample.Of("app-federated", $$"""{"audience":"https://storage.azure.com/x","assignments":[{"scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}"}]}"""),
        RoleExample.Of("app-federated", $$"""{"audience":"https://storage.azure.com","maxTokenLife":"48h","assignments":[{"scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}"}]}"""),
        RoleExample.Of("shared-app-password", $$"""{"application":"{{Id}}"}"""),
        RoleExample.Of("shared-app-password", """{"application":"shared"}"""),
        RoleExample.Of("role-assignment", $$"""{"principal":"{{Id}}","scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}","allowWithoutExpiry":false}"""),
        RoleExample.Of("role-assignment", $$"""{"principal":"me","scope":"{{AzureStandIn.Group}}","role":"{{AzureStandIn.Reader}}","allowWithoutExpiry":true}"""),
        RoleExample.Of("role-assignment", $$"""{"principal":"{{Id}}","scope":"{{AzureStandIn.Group}}","role":"8e3af657-a8ff-443c-a75c-2fe8c4bcb635","allowWithoutExpiry":true}"""),
        RoleExample.Of("keyvault-secret-write", """{"vault":"https://other.vault.azure.net"}"""),
        RoleExample.Of("keyvault-secret-write", $$"""{"vault":"{{Vault}}","bytes":4}"""),
        RoleExample.Of("keyvault-secret-read", $$"""{"vault":"{{Vault}}","name":"a/../b"}"""),
        RoleExample.Of("keyvault-secret-read", $$"""{"vault":"{{Vault}}","name":"{{Target.ExistingSecret}}","version":"latest"}"""),
        RoleExample.Of("keyvault-secret-read", """{"vault":"https://other.vault.azure.net","name":"x"}"""),
    ];

    private static string Assign(string scope, string role) => $$"""{"assignments":[{"scope":"{{scope}}","role":"{{role}}"}]}""";
}
