using System.Text.Json.Nodes;
using CredBroker.Providers.Vault.Tests.StandIn;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Vault.Tests;

/// <summary>The stand-in answers as the real server did, in every recording.</summary>
internal sealed class RecordingTests
{
    [Test]
    public void Every_recording_is_replayed() => Assert.That(Recording.All(), Is.EquivalentTo(Scenes.All.Keys));

    [TestCaseSource(nameof(Covered))]
    public async Task The_stand_in_answers_as_recorded(string name)
    {
        await using var scene = await Scene.CreateAsync(name);
        Scenes.All[name](scene);
        Assert.That(await scene.Replay.RunAsync(), Is.Empty);
    }

    private static IEnumerable<string> Covered() => Scenes.All.Keys;
}

/// <summary>A stand-in as the server was when a recording began.</summary>
internal sealed class Scene : IAsyncDisposable
{
    private readonly StandInHost _host;
    private readonly HttpClient _client;

    private Scene(string name, Microsoft.Extensions.Time.Testing.FakeTimeProvider clock, OpenBao bao, StandInHost host)
    {
        Clock = clock;
        Bao = bao;
        _host = host;
        _client = host.CreateClient();
        Recording = Recording.Read(name);
        Replay = new RecordingReplay(Recording, _client) { Supply = placeholder => Values.GetValueOrDefault(placeholder)?.Invoke() };
        Replay.Before = exchange =>
        {
            if (BeforeExchange.TryGetValue(exchange.Name, out var act)) act();
            return Task.CompletedTask;
        };
        if (bao.RootToken.Length > 0) Replay.Bind("token:root", bao.RootToken);
        Replay.Allow.Near("ttl", 1, "a second passes or does not");
        Replay.Allow.AnyOrder("keys", "the real server's order is that of its storage");
    }

    public Microsoft.Extensions.Time.Testing.FakeTimeProvider Clock { get; }

    public OpenBao Bao { get; }

    public Recording Recording { get; }

    public RecordingReplay Replay { get; }

    /// <summary>What happened before an exchange and was not recorded.</summary>
    public Dictionary<string, Action> BeforeExchange { get; } = new(StringComparer.Ordinal);

    /// <summary>Values that requests need and no answer gave.</summary>
    public Dictionary<string, Func<string?>> Values { get; } = new(StringComparer.Ordinal);

    public static async Task<Scene> CreateAsync(string name)
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, 500, TimeSpan.Zero));
        var bao = new OpenBao(clock, initialized: name != "01-health");
        return new Scene(name, clock, bao, await StandInHost.StartAsync(new StandInOptions { Clock = clock }, bao.Answer));
    }

    public void Pass(double seconds) => Clock.Advance(TimeSpan.FromSeconds(seconds));

    public void PassBefore(string exchange, double seconds) => BeforeExchange[exchange] = () => Pass(seconds);

    /// <summary>A token made beside the recording.</summary>
    public void Token(string placeholder, JsonObject body, string role = "") => Values[$"token:{placeholder}"] = () =>
    {
        var auth = Bao.Admin("POST", role.Length == 0 ? "auth/token/create" : $"auth/token/create/{role}", body)!["auth"]!;
        Replay.Bind($"accessor:{placeholder}", auth["accessor"]!.GetValue<string>());
        return auth["client_token"]!.GetValue<string>();
    };

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.DisposeAsync();
    }
}
