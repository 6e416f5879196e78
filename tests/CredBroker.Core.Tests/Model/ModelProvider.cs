using CredBroker.Abstractions;

namespace CredBroker.Core.Tests.Model;

/// <summary>The type of the model's providers: every call passes the world twice, before it acts and before it answers.</summary>
internal sealed class ModelProviderType(ModelTarget target, TimeProvider time, INodeCalls calls) : ProviderType<ModelConfiguration>
{
    public static readonly TimeSpan Late = TimeSpan.FromSeconds(10);

    public override string Name => "model";

    public override string Description => "A target whose every step is chosen.";

    public override TimeSpan LateEffect => Late;

    public override IReadOnlyList<RoleKind> RoleKinds { get; } = [new ModelRoleKind()];

    protected override IEnumerable<ValidationError> Validate(ModelConfiguration configuration) => [];

    protected override IProvider Create(ProviderContext context, ModelConfiguration configuration) => new ModelProvider(target, time, calls);
}

/// <summary>Nothing to configure.</summary>
internal sealed record ModelConfiguration;

/// <summary>A template of the model.</summary>
internal sealed record ModelTemplate
{
    /// <summary>Whether the handle is journalled half-way.</summary>
    public bool TwoSteps { get; init; }

    /// <summary>Whether nothing but time ends it.</summary>
    public bool ExpiresOnly { get; init; }
}

/// <summary>The model's role kind.</summary>
internal sealed class ModelRoleKind : RoleKind<ModelTemplate>
{
    public override string Name => "model";

    public override string Description => "A name and a password.";

    public override IReadOnlyList<string> CredentialFields => ["password"];

    protected override IEnumerable<ValidationError> Validate(ModelTemplate template) => [];

    protected override Revocability RevocabilityOf(ModelTemplate template) =>
        new(template.ExpiresOnly ? RevocabilityKind.ExpiresOnly : RevocabilityKind.DeletesAndCutsSessions, TimeSpan.Zero, "");
}

/// <summary>How a call goes on.</summary>
internal enum Turn
{
    /// <summary>As it should.</summary>
    Acts,

    /// <summary>It is sent, its answer is lost, and it acts later or never.</summary>
    ActsLater,

    /// <summary>It is lost on its way, and its caller cannot know that.</summary>
    Lost,

    /// <summary>It is refused, definitely.</summary>
    Refused,

    /// <summary>Its second step fails, and it says definitely that nothing was made: the first step is forgotten. In one step: it is refused.</summary>
    HalfMade,

    /// <summary>The target asks for fewer calls, and has done nothing.</summary>
    Throttled,

    /// <summary>Only this credential is at fault, as when a session will not die.</summary>
    Stubborn,

    /// <summary>It asks to be asked again.</summary>
    Settles,
}

/// <summary>What the world decides about a call of one node.</summary>
internal interface INodeCalls
{
    /// <summary>A call has left the node. Answers how it goes on, once it does.</summary>
    Task<Turn> SentAsync(string operation, string name, DateTimeOffset possibleUntil);

    /// <summary>A call has acted. Answers whether its answer arrives, once it does.</summary>
    Task<bool> AnsweredAsync(string operation, string name);
}

/// <summary>A provider of one node. It does not look at cancellation: a call that was given up goes on.</summary>
internal sealed class ModelProvider(ModelTarget target, TimeProvider time, INodeCalls calls) : IProvider, IRenewingProvider
{
    public const string SecretMark = "model-secret-";

    public async Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        var template = Document<ModelTemplate>.Read(request.Template);
        // It may wait for a connection until its deadline, and what it sends then acts late.
        var latest = request.Deadline + ModelProviderType.Late;
        var handle = new Handle($"{ModelTarget.Home}|{request.ExternalName}");
        var turn = await calls.SentAsync("issue", request.ExternalName, request.ExpiresAt);
        if (turn == Turn.Refused || (turn == Turn.HalfMade && !template.TwoSteps)) throw new ProviderException(ProviderFault.Denied, "Nothing was made.", ProviderEffect.None);
        // Whoever answers there now does not know our login.
        if (target.IsAnother) throw new ProviderException(ProviderFault.TargetMismatch, "Another one answers.", ProviderEffect.None);
        if (template.TwoSteps && !await journal.RecordAsync(handle, CancellationToken.None))
            throw new ProviderException(ProviderFault.Credential, "It is not wanted any more.", ProviderEffect.None);
        var credential = new ModelCredential(request.ExternalName, template.ExpiresOnly, request.ExpiresAt);
        if (turn == Turn.HalfMade)
        {
            target.Put(credential);
            throw new ProviderException(ProviderFault.Denied, "Nothing was made.", ProviderEffect.None);
        }

        // No call acts later than was declared, however long it hung.
        if (turn == Turn.ActsLater && time.GetUtcNow() < latest) target.Later(latest, credential.Name, () => target.Put(credential));
        if (turn != Turn.Acts || time.GetUtcNow() > latest) throw new ProviderException(ProviderFault.Unreachable, "The answer was lost.");
        target.Put(credential);
        if (!await calls.AnsweredAsync("issue", request.ExternalName)) throw new ProviderException(ProviderFault.Unreachable, "The answer was lost.");
        return new IssuedCredential
        {
            Fields = new Dictionary<string, CredentialField> { ["password"] = new(new Secret(SecretMark + request.ExternalName)) },
            Handle = handle,
            ExpiresAt = credential.ExpiresAt,
        };
    }

    public async Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        var turn = await calls.SentAsync("revoke", request.ExternalName, request.PossibleDeathAt);
        var outcome = turn switch
        {
            Turn.Acts => Revoke(request),
            Turn.Settles => new RevokeOutcome.Settling(target.Identity, time.GetUtcNow().AddSeconds(3), "It settles."),
            Turn.Throttled => throw new ProviderException(ProviderFault.Throttled, "Slower.", ProviderEffect.Unknown, TimeSpan.FromSeconds(20)),
            Turn.Stubborn => throw new ProviderException(ProviderFault.Credential, "Its session will not die."),
            _ => throw new ProviderException(ProviderFault.Unreachable, "The answer was lost."),
        };
        if (!await calls.AnsweredAsync("revoke", request.ExternalName)) throw new ProviderException(ProviderFault.Unreachable, "The answer was lost.");
        return outcome;
    }

    public async Task<DateTimeOffset> RenewAsync(RenewRequest request, CancellationToken cancellationToken)
    {
        var turn = await calls.SentAsync("renew", request.ExternalName, request.ExpiresAt);
        var inTime = time.GetUtcNow() < request.Deadline;
        if (turn == Turn.ActsLater && inTime) target.Later(request.Deadline, request.ExternalName, () => Renew(request));
        if (turn != Turn.Acts || !inTime) throw new ProviderException(ProviderFault.Unreachable, "The answer was lost.");
        if (!Renew(request)) throw new ProviderException(ProviderFault.Credential, "There is no such credential.", ProviderEffect.None);
        if (!await calls.AnsweredAsync("renew", request.ExternalName)) throw new ProviderException(ProviderFault.Unreachable, "The answer was lost.");
        return request.ExpiresAt;
    }

    public Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken) => Task.FromResult(new ProviderHealth(target.Identity, []));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // It says what it sees, no more: that what is not there may still arrive is the engine's to know.
    private RevokeOutcome Revoke(RevokeRequest request)
    {
        var now = time.GetUtcNow();
        if (target.Find(request.ExternalName) is { ExpiresOnly: true } found)
        {
            return now < found.ExpiresAt
                ? new RevokeOutcome.ExpiresAt(target.Identity, found.ExpiresAt)
                : new RevokeOutcome.Expired(target.Identity, new Evidence("expired", "It ended by itself.", now));
        }

        target.Remove(request.ExternalName);
        return new RevokeOutcome.Gone(target.Identity, new Evidence("absent", "It is not there.", now));
    }

    // It says that something has expired although a renewal that is on its way will make it live again.
    private bool Renew(RenewRequest request)
    {
        if (target.Find(request.ExternalName) is not { } found) return false;
        target.Put(found with { ExpiresAt = request.ExpiresAt });
        return true;
    }
}
