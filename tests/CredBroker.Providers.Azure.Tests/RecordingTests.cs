using CredBroker.Providers.Azure.Tests.StandIn;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Azure.Tests;

/// <summary>The stand-in answers as Azure did when it was recorded.</summary>
public sealed class RecordingTests
{
    private const string Home = "https://login.microsoftonline.com";

    // What the stand-in does not have, each with the reason.
    private static readonly Dictionary<string, string> LeftOut = new()
    {
        ["storage-revoke-user-delegation-keys"] = "no role kind makes shared access signatures: the recording shows that they can only be revoked all together",
        ["storage-user-delegation-key"] = "the same",
    };

    private static IEnumerable<string> Recordings => Recording.All().Where(name => !LeftOut.ContainsKey(name));

    [Test]
    public void Whatever_is_left_out_was_recorded() => Assert.That(LeftOut.Keys, Is.SubsetOf(Recording.All()));

    [TestCaseSource(nameof(Recordings))]
    public async Task Answers_as_it_was_recorded(string name)
    {
        await using var target = await Target.CreateAsync(Timing.Immediate());
        using var client = ClientFor(target, name);
        var replay = new RecordingReplay(Recording.Read(name), client);
        var app = target.Azure.ByHand(tenant => tenant.Applications[target.SharedApplication]);
        var broker = target.Azure.BrokerPrincipal.Id;
        replay.Bind("tenant:home", target.Azure.Tenant.Id);
        replay.Bind("tenant:unknown", Tenant.NewId());
        replay.Bind("domain:tenant", "test.onmicrosoft.com");
        replay.Bind("token:broker", TokenFor(target, name, broker));
        replay.Bind("token:broker-arm", target.Azure.TokenOf(broker));
        replay.Bind("vault:kv", new Uri(target.Vault).Host.Split('.')[0]);
        replay.Supply = placeholder => placeholder.Split(':')[0] switch
        {
            "uuid" => Tenant.NewId(),
            "name" or "secret" => placeholder.Replace(':', '-'),
            "time" => AzureStandIn.Seconds(target.Clock.Target.GetUtcNow().AddDays(placeholder.EndsWith("-end", StringComparison.Ordinal) ? 30 : 0)),
            _ => null,
        };
        Prepare(target, name, replay, app);
        Assert.That(await replay.RunAsync(), Is.Empty);
    }

    private static void Prepare(Target target, string name, RecordingReplay replay, AppObject app)
    {
        if (name.StartsWith("arm-", StringComparison.Ordinal) || name == "graph-app-sp-role-assignment")
        {
            var subscription = AzureStandIn.Group.Split('/')[2];
            replay.Bind("uuid:subscription", subscription);
            replay.Bind("name:group", "demo");
            replay.Bind("uuid:caller", target.Azure.BrokerPrincipal.Id);
            replay.Bind("uuid:principal", name == "arm-role-assignment" ? target.Azure.BrokerPrincipal.Id : target.ManagedIdentity);
            replay.Bind("uuid:role", AzureStandIn.BlobReader);
            target.Azure.ByHand(tenant =>
            {
                var scope = AzureStandIn.Group[..AzureStandIn.Group.IndexOf("/resourceGroups", StringComparison.Ordinal)];
                tenant.Assignments.Add(new AssignmentObject(scope, Guid.Parse("0b5c4d1e-0000-4000-8000-000000000002"), AzureStandIn.RoleId(AzureStandIn.Assigner), target.Azure.BrokerPrincipal.Id, "ServicePrincipal", null, DateTimeOffset.UnixEpoch));
                return true;
            });
            replay.Allow.Vary("header x-ms-ratelimit-remaining-subscription-writes", "a budget that counts down");
            replay.Allow.Vary("header x-ms-ratelimit-remaining-subscription-deletes", "a budget that counts down");
        }

        if (name.StartsWith("graph-", StringComparison.Ordinal)) PrepareGraph(target, name, replay);
        if (name.StartsWith("keyvault-", StringComparison.Ordinal)) PrepareVault(target, name, replay);
        if (name.StartsWith("entra-", StringComparison.Ordinal)) PrepareEntra(target, name, replay, app);
    }

    private static void PrepareGraph(Target target, string name, RecordingReplay replay)
    {
        var application = target.Azure.ByHand(tenant => tenant.Applications[target.SharedApplication]);
        if (name == "graph-app-sp-role-assignment")
        {
            const string Newer = "applications got further members between May 2022, whose shape the stand-in has, and this recording";
            replay.Allow.Vary("$", Newer);
            replay.Allow.Vary("$.web", Newer);
        }

        if (name == "graph-denied") target.Azure.ByHand(_ => target.Azure.BrokerPrincipal.GraphRoles.RemoveAll(_ => true));
        if (name == "graph-federated-credential") replay.Bind("uuid:app-object", application.Id);
        replay.Before = async exchange =>
        {
            // The command line tool added a second password that the recording leaves out.
            if (exchange.Name == "list passwords after a second add")
            {
                using var answer = await target.SendAsync(
                    HttpMethod.Post, $"https://graph.microsoft.com/v1.0/applications/{replay.ValueOf("uuid:app-object")}/addPassword", replay.ValueOf("token:broker"),
                    """{"passwordCredential":{"displayName":"key2"}}""");
                Assert.That(answer.IsSuccessStatusCode);
            }
        };
    }

    private static void PrepareVault(Target target, string name, RecordingReplay replay)
    {
        target.Azure.ByHand(_ =>
        {
            target.Azure.Vault.RecoverableDays = name is "keyvault-delete-recover-lag" or "keyvault-tags-expired-secret-is-readable" ? 7 : 90;
            target.Azure.Vault.NamesAssignments = name is "keyvault-delete-recover-lag" or "keyvault-not-found";
            return true;
        });
        if (name == "keyvault-delete-recover-lag") target.Azure.Timing.SecretDeletionSpreads = TimeSpan.FromSeconds(2);
        replay.Before = exchange =>
        {
            target.Clock.Advance(exchange.Name == "get right after recover" ? TimeSpan.Zero : TimeSpan.FromSeconds(5));
            return Task.CompletedTask;
        };
        replay.Allow.Vary("header x-ms-keyvault-rbac-cache", "ages of a cache");
        replay.Allow.Vary("header x-ms-keyvault-rbac-assignment-id", "an id of its own each time");
    }

    private static void PrepareEntra(Target target, string name, RecordingReplay replay, AppObject app)
    {
        var secret = "the right secret";
        target.Azure.ByHand(_ =>
        {
            app.Passwords.Add(new PasswordObject(Tenant.NewId(), "recorded", secret, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, DateTimeOffset.UnixEpoch));
            return true;
        });
        replay.Bind("uuid:app", app.AppId);
        replay.Bind("secret:app", secret);
        replay.Allow.Vary("error_description", "the wording changed after 2021; the stand-in has that of 2022 to 2026, and error_codes are compared");
        replay.Prepare = async request =>
        {
            // The recorder dropped the form: only one recording has it.
            if (request.Method != HttpMethod.Post || name == "entra-token-cae") return;
            var form = new Dictionary<string, string> { ["client_id"] = app.AppId, ["scope"] = "https://vault.azure.net/.default", ["grant_type"] = "client_credentials" };
            if (name == "entra-token-federated-1h")
            {
                var identity = target.Context.Identity;
                form["client_id"] = target.Azure.BrokerClientId;
                form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                form["client_assertion"] = (await identity.MintAssertionAsync(CancellationToken.None)).Reveal();
            }
            else
            {
                form["client_secret"] = name == "entra-invalid-secret" ? "a wrong one" : secret;
            }

            request.Content = new FormUrlEncodedContent(form);
        };
    }

    private static string TokenFor(Target target, string name, string principal) => target.Azure.TokenOf(
        principal, name.StartsWith("keyvault-", StringComparison.Ordinal) ? "https://vault.azure.net" : "https://graph.microsoft.com");

    // Recorded hosts are in the requests' Host header; the client's address is that of the service under replay.
    private static HttpClient ClientFor(Target target, string name)
    {
        var host = name.StartsWith("keyvault-", StringComparison.Ordinal) ? target.Vault : name.StartsWith("arm-", StringComparison.Ordinal) ? "https://management.azure.com" : name.StartsWith("entra-", StringComparison.Ordinal) ? Home : "https://graph.microsoft.com";
        return new HttpClient(target.Host.Egress.CreateHttpHandler()) { BaseAddress = new Uri(host) };
    }
}
