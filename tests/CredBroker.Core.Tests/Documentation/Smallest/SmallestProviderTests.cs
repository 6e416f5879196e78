using System.Runtime.CompilerServices;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Testing.Conformance;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Documentation.Smallest;

/// <summary>The smallest complete provider, which the guide shows, keeps to what every provider must do.</summary>
public sealed class SmallestProviderConformance : ProviderConformance
{
    protected override Task<ProviderUnderTest> CreateAsync() => Task.FromResult<ProviderUnderTest>(new Subject());

    private sealed class Subject : ProviderUnderTest
    {
        private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        private readonly DoorService _service;

        public Subject()
        {
            _service = new DoorService("north-gate", _time);
            Context = TestContexts.Create(_time, egress: _service);
        }

        public override IProviderType Type { get; } = new DoorProviderType();

        public override ProviderContext Context { get; }

        public override JsonElement Configuration { get; } = JsonElement.Parse("""{"url":"https://doors.example"}""");

        public override ProviderAbilities Abilities { get; } = new(Lists: false, Renews: false);

        public override IReadOnlyList<RoleExample> Roles => [RoleExample.Of("code", """{"door":"archive"}""")];

        public override IReadOnlyList<JsonElement> BadConfigurations => [JsonElement.Parse("""{"url":"http://doors.example"}"""), JsonElement.Parse("""{"url":"doors"}""")];

        public override IReadOnlyList<RoleExample> BadRoles => [RoleExample.Of("code", """{"door":"../vault"}"""), RoleExample.Of("code", """{"door":"{{door}}"}""")];

        public override IReadOnlyList<string> SecretFields => ["code"];

        public override IReadOnlyList<HalfWay> HalfWays =>
        [
            new("taken away by hand", request =>
            {
                _service.Remove(request.ExternalName);
                return Task.CompletedTask;
            }),
        ];

        public override IReadOnlyList<TargetFault> Faults => Enum.GetValues<TargetFault>();

        public override TimeSpan? RetryAfter => TimeSpan.FromSeconds(7);

        public override int CreatingCalls => _service.Created;

        public override Task<Misbehaviour> MisbehaveAsync(TargetFault fault, int sparing) => Task.FromResult(_service.Misbehave(fault, sparing));

        public override Task<bool> LivesAsync(string externalName) => Task.FromResult(_service.Has(externalName));

        public override Task<bool> IsAcceptedAsync(IssuedCredential credential) => Task.FromResult(_service.Opens(credential.Fields["code"].Value.Reveal()));

        public override Task PassTimeAsync(DateTimeOffset until)
        {
            if (until > _service.Now) _time.Advance(until - _service.Now);
            return Task.CompletedTask;
        }

        public override Task<IProvider> ConnectElsewhereAsync() =>
            Task.FromResult(Type.Create(Context with { Egress = new DoorService("south-gate", _time) }, Configuration));

        public override Task PlantAsync(string externalName)
        {
            _service.Plant(externalName);
            return Task.CompletedTask;
        }

        public override Task<bool> IsPlantedAsync(string externalName) => Task.FromResult(_service.Has(externalName));
    }
}

/// <summary>What the guide shows is what is compiled and held to the suite.</summary>
public sealed class SmallestProviderTests
{
    [Test]
    public void The_guide_shows_the_whole_of_it()
    {
        var guide = Normal(File.ReadAllText(Path.Combine(Root(), "docs/providers/writing-a-provider.md")));
        var code = Normal(File.ReadAllText(Path.Combine(Root(), "tests/CredBroker.Core.Tests/Documentation/Smallest/DoorCodes.cs")));
        Assert.That(guide, Does.Contain($"```csharp\n{code}```\n"), "copy the file into the guide");
    }

    private static string Normal(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal);

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../.."));
}
