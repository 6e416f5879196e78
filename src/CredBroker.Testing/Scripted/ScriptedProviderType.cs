using System.Collections.Concurrent;
using System.Text.Json;
using CredBroker.Abstractions;

namespace CredBroker.Testing.Scripted;

/// <summary>The configuration of a scripted provider.</summary>
public sealed record ScriptedConfiguration
{
    /// <summary>The target's name: see <see cref="ScriptedProviderType.Target"/>.</summary>
    public required string Target { get; init; }

    /// <summary>Whether the provider can list what is outstanding.</summary>
    public bool Lists { get; init; } = true;

    /// <summary>Whether the provider can renew.</summary>
    public bool Renews { get; init; } = true;

    /// <summary>Whether a provider that lists and renews can also revoke in groups.</summary>
    public bool Groups { get; init; } = true;

    /// <summary>A secret that it says it sends to its target.</summary>
    public SecretRef? Secret { get; init; }
}

/// <summary>
/// A provider type whose every answer a test decides, in front of targets in memory. It passes the conformance suite, and so
/// shows what a provider must do apart from any protocol.
/// </summary>
/// <param name="time">The clock of its targets.</param>
public sealed class ScriptedProviderType(TimeProvider time) : ProviderType<ScriptedConfiguration>
{
    private readonly ConcurrentDictionary<string, ScriptedTarget> _targets = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override string Name => "scripted";

    /// <inheritdoc/>
    public override string Description => "A target in memory for tests.";

    /// <inheritdoc/>
    public override TimeSpan LateEffect => TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public override IReadOnlyList<RoleKind> RoleKinds { get; } = [new ScriptedRoleKind()];

    /// <summary>The target of this name, which is made when it is first asked for.</summary>
    public ScriptedTarget Target(string name) => _targets.GetOrAdd(name, key => new ScriptedTarget(key, time));

    /// <summary>A configuration for the target of this name.</summary>
    public static JsonElement Configure(string target, bool lists = true, bool renews = true, bool groups = true) =>
        Document<ScriptedConfiguration>.Write(new() { Target = target, Lists = lists, Renews = renews, Groups = groups });

    /// <inheritdoc/>
    protected override IEnumerable<ValidationError> Validate(ScriptedConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (configuration.Target.Length is 0 or > 63 || !configuration.Target.All(char.IsAsciiLetterOrDigit))
            yield return new ValidationError("target", "A target's name has 1 to 63 ASCII letters and digits.");
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<SecretUse> SecretsOf(ScriptedConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Secret is { } secret ? [new SecretUse(secret, $"{configuration.Target}.scripted")] : [];
    }

    /// <inheritdoc/>
    protected override IProvider Create(ProviderContext context, ScriptedConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var target = Target(configuration.Target);
        return (configuration.Lists, configuration.Renews) switch
        {
            (true, true) when configuration.Groups => new ScriptedProvider.Complete(target),
            (true, true) => new ScriptedProvider.ListingAndRenewing(target),
            (true, false) => new ScriptedProvider.Listing(target),
            (false, true) => new ScriptedProvider.Renewing(target),
            _ => new ScriptedProvider(target),
        };
    }
}
