using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.AspNetCore;
using CredBroker.Contracts;
using CredBroker.Core;
using CredBroker.Core.Egress;
using CredBroker.Core.Hosting;
using CredBroker.Core.Identity;
using CredBroker.Core.Registry;
using CredBroker.Core.Signing;
using CredBroker.Core.Workloads;
using CredBroker.EntityFrameworkCore;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.Providers.Token;
using CredBroker.Quartz;
using CredBroker.TestSupport.Server;
using DevIdentity;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CredBroker.Server.Tests.Surface;

/// <summary>The whole web surface over Core, SQLite and the token provider, on real sockets, with a development issuer.</summary>
internal sealed class SurfaceHost : IAsyncDisposable
{
    /// <summary>The <c>v1</c> key of the hooks here: made for tests.</summary>
    public const string HookSecret = "whsec_KVmgHIUq//SDiKS3hg/qN6elid9w84takRP5aRWGtrk=";

    private readonly WebApplication _app;
    private readonly DevIdentitySource _issuer;
    private readonly string _folder;
    private readonly Uri _rest;

    private SurfaceHost(WebApplication app, DevIdentitySource issuer, string folder, Uri rest, GrpcChannel channel)
    {
        _app = app;
        _issuer = issuer;
        _folder = folder;
        _rest = rest;
        Channel = channel;
    }

    public GrpcChannel Channel { get; }

    public required KeptLog Log { get; init; }

    public static async Task<SurfaceHost> StartAsync()
    {
        var issuer = await DevIdentitySource.StartAsync();
        var folder = Directory.CreateTempSubdirectory("credbroker-surface-").FullName;
        var wrapping = Enumerable.Range(1, 32).Select(value => (byte)value).ToArray();
        var builder = LoopbackServer.CreateBuilder(HttpProtocols.Http1, HttpProtocols.Http2);
        var log = new KeptLog();
        builder.Logging.AddProvider(log);
        builder.Services
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new InstallationOptions { Id = "test01", PublicUrl = "http://127.0.0.1:1", WrappingKey = wrapping })
            .AddSingleton(new EgressPolicy { Allow = ["127.0.0.1"] })
            .AddSingleton<ISecretSources, OneSecret>()
            .AddSingleton<IProviderType, TokenProviderType>()
            .AddCredBrokerStore(store =>
            {
                store.UseSqlite(Path.Combine(folder, "broker.db"));
                store.WrappingKey = wrapping;
            })
            .AddCredBrokerCore(new CoreOptions(new BrokerLimits(), new OperatorRoot("people", "root"), BrokerSchema.ReadText()))
            .AddCredBrokerQuartz()
            .AddCredBrokerAspNetCore();
        var app = builder.Build();
        app.MapCredBroker();
        await app.Services.GetRequiredService<BrokerDatabase>().MigrateAsync(default);
        await app.Services.GetRequiredService<KeyRing>().EnsureAsync(default);
        await app.Services.GetRequiredService<Catalog>().RefreshAsync(default);
        await RegisterPeopleAsync(app.Services, issuer);
        await app.StartAsync();
        var addresses = LoopbackServer.AddressesOf(app);
        return new SurfaceHost(app, issuer, folder, addresses[0], GrpcChannel.ForAddress(addresses[1])) { Log = log };
    }

    /// <summary>A token of a person, who is the root as <c>root</c>.</summary>
    public string Person(string subject) => _issuer.Mint(subject, "people");

    /// <summary>A token of a workload of the source <c>ci</c>, as one instance.</summary>
    public string Workload(string subject, string run = "1", JsonObject? claims = null, TimeSpan? lifetime = null)
    {
        var all = claims ?? [];
        all["run_id"] = run;
        return _issuer.Mint(subject, "ci", all, lifetime);
    }

    /// <summary>Headers for gRPC.</summary>
    public static Metadata As(string token) => new() { { "authorization", "Bearer " + token } };

    /// <summary>A REST call; the body is JSON.</summary>
    public async Task<(HttpResponseMessage Response, JsonElement Body)> RestAsync(string? token, HttpMethod method, string path, string? body = null)
    {
        using var client = new HttpClient { BaseAddress = _rest };
        using var request = new HttpRequestMessage(method, path);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response, text.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(text));
    }

    /// <summary>A raw call.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        using var client = new HttpClient { BaseAddress = _rest };
        return await client.SendAsync(request, completion);
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await _app.DisposeAsync();
        await _issuer.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    // The operator's file registers whom it trusts to administer.
    private static async Task RegisterPeopleAsync(IServiceProvider services, DevIdentitySource issuer)
    {
        var spec = new IdentitySourceSpec { People = true, Oidc = new OidcSpec { Issuer = issuer.Issuer, Audiences = ["people"] } };
        var made = await services.GetRequiredService<RegistryService>()
            .CreateAsync(RegistryAuthor.Operator, ResourceTypes.IdentitySource, "people", null, spec, new ChangeOptions(), default);
        Assert.That(made, Is.InstanceOf<Result<Registered<IdentitySourceSpec>>.Ok>(), made.ToString());
    }

    /// <summary>Registers a source, a provider, a role and policies through the API, as root.</summary>
    public async Task SetUpAsync()
    {
        var root = Person("root");
        await MustAsync(root, "/v1/identitySources?identitySourceId=ci", $$$"""
            {"type":"oidc","owner":"platform","oidc":{"issuer":"{{{_issuer.Issuer}}}","audiences":["ci"],"instanceClaims":["run_id"],"attributes":{"ref":"ref"},"stableIdClaims":["sub"]}}
            """);
        await MustAsync(root, "/v1/providers?providerId=tokens", """{"type":"token","owner":"platform","config":{"audiences":["orders"]}}""");
        await MustAsync(root, "/v1/providers/tokens/roles?roleId=reader", """
            {"kind":"jwt","template":{"audience":"orders","scopes":["read:{{table}}"]},"parameters":[{"name":"table","values":["orders","items"],"required":true}],"maxTtl":"300s"}
            """);
        await MustAsync(root, "/v1/hooks?hookId=ci", """{"identitySources":["identitySources/ci"],"secret":"ci-hook","matchClaims":["instance"]}""");
        await MustAsync(root, "/v1/policySets?policySetId=agents", Json("""
            permit (principal, action == Action::"createTask", resource);
            permit (principal, action in [Action::"actOnTask", Action::"delegate"], resource) when { resource.performer == principal };
            permit (principal, action == Action::"issue", resource == Role::"tokens/reader") when { context.params.hasTag("table") && context.params.getTag("table") == "orders" };
            permit (principal, action == Action::"introspect", resource) when { context.audience == "orders" };
            permit (principal == Hook::"ci", action == Action::"endTask", resource);
            """));
    }

    public async Task<JsonElement> MustAsync(string token, string path, string body)
    {
        var (response, answer) = await RestAsync(token, HttpMethod.Post, path, body);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK), $"{path}: {answer}");
        return answer;
    }

    private static string Json(string policies) => JsonSerializer.Serialize(new { kind = "SCOPED", text = policies });

    /// <summary>One secret source, for hooks alone.</summary>
    private sealed class OneSecret : ISecretSources
    {
        public string? Refusal(string source, SecretConsumer consumer) => source == "ci-hook" && consumer.Kind == "hook" ? null : "There is no such secret source.";

        public ValueTask<Secret> ReadAsync(string source, SecretConsumer consumer, CancellationToken cancellationToken) => new(new Secret(HookSecret));
    }
}
