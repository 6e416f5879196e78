using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Core.Signing;
using CredBroker.Testing.Conformance;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Providers.Token.Tests;

/// <summary>The token provider with the broker's real signer; the test is its store and its introspection.</summary>
public sealed class TokenConformance : ProviderConformance
{
    protected override async Task<ProviderUnderTest> CreateAsync()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, 500, TimeSpan.Zero));
        var (signer, verifier) = await new Signers(time, "https://broker.example").CreateAsync();
        var (other, _) = await new Signers(time, "https://other.example").CreateAsync();
        return new Subject(time, signer, verifier, other);
    }

    private sealed class Subject(FakeTimeProvider time, LeaseTokenSigner signer, LeaseTokenVerifier verifier, LeaseTokenSigner other) : ProviderUnderTest
    {
        private readonly HashSet<Uid> _dead = [];

        public override IProviderType Type { get; } = new TokenProviderType();

        public override ProviderContext Context { get; } = TestContexts.Create(time) with { TokenSigner = signer };

        public override JsonElement Configuration { get; } = JsonElement.Parse("""{"audiences":["https://api.example","orders"]}""");

        public override ProviderAbilities Abilities { get; } = new(Lists: false, Renews: false);

        public override IReadOnlyList<RoleExample> Roles =>
        [
            RoleExample.Of("jwt", """{"audience":"https://api.example"}"""),
            RoleExample.Of("jwt", """{"audience":"orders","scopes":["orders:read","orders:list"],"claims":{"team":"Müller & Söhne","https://claims.example/tier":"gold"}}"""),
        ];

        public override IReadOnlyList<JsonElement> BadConfigurations =>
        [
            JsonElement.Parse("""{"audiences":[""]}"""), JsonElement.Parse("""{"audiences":["two words"]}"""), JsonElement.Parse("""{"audience":["x"]}"""),
        ];

        public override IReadOnlyList<RoleExample> BadRoles =>
        [
            .. new[]
            {
                "{}",
                """{"audience":""}""",
                """{"audience":["orders"]}""",
                """{"audience":"not-configured"}""",
                """{"audience":"orders","scopes":["a b"]}""",
                """{"audience":"orders","scopes":["a\"b"]}""",
                """{"audience":"orders","scopes":["a\\b"]}""",
                """{"audience":"orders","claims":{"sub":"somebody"}}""",
                """{"audience":"orders","claims":{"iss":"https://elsewhere.example"}}""",
                """{"audience":"orders","claims":{"aud":"other"}}""",
                """{"audience":"orders","claims":{"exp":"9999999999"}}""",
                """{"audience":"orders","claims":{"JTI":"x"}}""",
                """{"audience":"orders","claims":{"1st":"x"}}""",
                """{"audience":"orders","claims":{"nested":{"a":"b"}}}""",
                """{"audience":"orders","typ":"JWT"}""",
            }.Select(json => RoleExample.Of("jwt", json)),
        ];

        public override IReadOnlyList<string> SecretFields => ["token"];

        public override async Task<bool> IsAcceptedAsync(IssuedCredential credential) =>
            await verifier.VerifyAsync(credential.Fields["token"].Value.Reveal()) is { } token && !_dead.Contains(token.LeaseId);

        public override void BeginRevoking(RevokeRequest request) => _dead.Add(request.LeaseId);

        public override Task PassTimeAsync(DateTimeOffset until)
        {
            if (until > time.GetUtcNow()) time.SetUtcNow(until);
            return Task.CompletedTask;
        }

        public override Task<IProvider> ConnectElsewhereAsync() => Task.FromResult(Type.Create(Context with { TokenSigner = other }, Configuration));
    }
}
