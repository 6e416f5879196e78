using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Core.Egress;
using CredBroker.Core.Identity;
using CredBroker.Core.Signing;
using DevIdentity;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Identity;

/// <summary>A real issuer on loopback, a clock that stands still, and an attestor.</summary>
internal sealed class IdentityHarness : IIdentitySourceCatalog, IAsyncDisposable
{
    public const string Audience = "https://credbroker.example.com";

    public static readonly InstallationOptions Installation = new()
    {
        Id = "test01",
        PublicUrl = "https://broker.example.com",
        WrappingKey = [.. Enumerable.Range(1, 32).Select(value => (byte)value)],
    };

    private IdentityHarness(DevIdentitySource issuer, FakeTimeProvider time)
    {
        Issuer = issuer;
        Time = time;
        Egress = new PolicyEgress(new EgressPolicy { Allow = ["127.0.0.1"] });
        Keys = new IssuerKeyCache(this, Installation, Egress, time, NullLogger<IssuerKeyCache>.Instance);
        Attestor = new Attestor(Keys, time);
    }

    public DevIdentitySource Issuer { get; }

    public FakeTimeProvider Time { get; }

    public IEgress Egress { get; }

    public IssuerKeyCache Keys { get; }

    public Attestor Attestor { get; }

    public IReadOnlyList<RegisteredIdentitySource> Current { get; private set; } = [];

    public static async Task<IdentityHarness> StartAsync(string algorithm = "ES256", DateTimeOffset? now = null)
    {
        var time = new FakeTimeProvider(now ?? new DateTimeOffset(2026, 11, 23, 20, 45, 0, TimeSpan.Zero));
        return new IdentityHarness(await DevIdentitySource.StartAsync(algorithm: algorithm, time: time), time);
    }

    /// <summary>Registers the issuer as the source <c>ci</c>.</summary>
    public RegisteredIdentitySource Register(Func<IdentitySourceSpec, IdentitySourceSpec>? change = null, string name = "ci", bool operatorOwned = false)
    {
        var spec = new IdentitySourceSpec { Environment = "test", Oidc = new OidcSpec { Issuer = Issuer.Issuer, Audiences = [Audience] } };
        var source = new RegisteredIdentitySource(Uid.New(Time), name, 1, change is null ? spec : change(spec), operatorOwned);
        Current = [.. Current, source];
        return source;
    }

    public void Replace(RegisteredIdentitySource source) => Current = [.. Current.Where(other => other.Uid != source.Uid), source];

    public string Mint(JsonObject? claims = null, string subject = "agent-1", string audience = Audience, TimeSpan? lifetime = null) =>
        Issuer.Mint(subject, audience, claims, lifetime);

    /// <summary>A token with another header; <c>alg</c>, <c>kid</c> and <c>typ</c> are as usual unless it says otherwise, null takes one away.</summary>
    public string MintWithHeader(JsonObject header)
    {
        var all = new JsonObject { ["alg"] = "ES256", ["kid"] = Issuer.KeyId, ["typ"] = "JWT" };
        foreach (var (name, value) in header)
        {
            if (value is null) all.Remove(name);
            else all[name] = value.DeepClone();
        }

        return Issuer.Sign(all.ToJsonString(), PayloadOf(Mint()));
    }

    public static string PayloadOf(string token) => System.Text.Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1]));

    public Task<Attestation> AttestAsync(string token) => Attestor.AttestAsync(token, CancellationToken.None);

    public async Task<AttestedIdentity> AcceptAsync(string token)
    {
        var attestation = await AttestAsync(token);
        Assert.That(attestation, Is.InstanceOf<Attestation.Attested>(), () => attestation.ToString()!);
        return ((Attestation.Attested)attestation).Identity;
    }

    public async Task<string> RefuseAsync(string token)
    {
        var attestation = await AttestAsync(token);
        Assert.That(attestation, Is.InstanceOf<Attestation.Refused>());
        return ((Attestation.Refused)attestation).Reason;
    }

    public Task RefreshAsync() => Keys.RefreshDueAsync(Time.GetUtcNow(), CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        Keys.Dispose();
        await Issuer.DisposeAsync();
    }
}
