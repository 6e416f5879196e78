using System.Collections.Concurrent;
using System.Text.Json;
using CredBroker.Abstractions;

namespace CredBroker.TestSupport.Harness;

/// <summary>The configuration of a provider that notes.</summary>
public sealed record NotingConfiguration
{
    /// <summary>The target's name.</summary>
    public required string Target { get; init; }
}

/// <summary>Providers that do nothing but keep the broker's note, at targets in memory which can hang, fail, or be impossible to connect to.</summary>
public sealed class NotingProviderType : ProviderType<NotingConfiguration>
{
    /// <summary>What stands at each target.</summary>
    public ConcurrentDictionary<string, string> Notes { get; } = new();

    /// <summary>The targets that never answer.</summary>
    public ConcurrentDictionary<string, bool> Hanging { get; } = new();

    /// <summary>The targets for which no provider can be made.</summary>
    public ConcurrentDictionary<string, bool> Impossible { get; } = new();

    /// <summary>The targets that were asked.</summary>
    public ConcurrentDictionary<string, bool> Asked { get; } = new();

    public override string Name => "noting";

    public override string Description => "Keeps notes, for tests.";

    public override TimeSpan LateEffect => TimeSpan.FromSeconds(1);

    public override IReadOnlyList<RoleKind> RoleKinds => [];

    public static JsonElement Configure(string target) => Document<NotingConfiguration>.Write(new() { Target = target });

    protected override IEnumerable<ValidationError> Validate(NotingConfiguration configuration) => [];

    protected override IProvider Create(ProviderContext context, NotingConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return Impossible.ContainsKey(configuration.Target) ? throw new InvalidOperationException("It cannot be made.") : new Noting(this, configuration.Target);
    }

    private sealed class Noting(NotingProviderType type, string target) : IProvider, IAnchoringProvider
    {
        public async Task<AnchorLook> ReadAnchorAsync(CancellationToken cancellationToken)
        {
            type.Asked[target] = true;
            if (type.Hanging.ContainsKey(target)) await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
            return new AnchorLook(target, type.Notes.GetValueOrDefault(target));
        }

        public Task<bool> ReplaceAnchorAsync(string? seen, string next, CancellationToken cancellationToken) =>
            Task.FromResult(seen is null ? type.Notes.TryAdd(target, next) : type.Notes.TryUpdate(target, next, seen));

        public Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken) => Task.FromResult(new ProviderHealth(target, []));

        public Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
