using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Abstractions;
using CredBroker.Cedar;

namespace CredBroker.Policies;

/// <summary>What a question is about, for sets with a declared scope. Null where the question is about no such thing.</summary>
public readonly record struct PolicyScope(string Action, string? Provider, string? IdentitySource);

/// <summary>One compiled policy set.</summary>
public sealed class CompiledPolicySet(PolicySetDefinition definition, PolicySet policies)
{
    private readonly Authorizer _authorizer = new(policies);
    private readonly HashSet<string> _actions = [.. definition.Actions];
    private readonly HashSet<string> _providers = [.. definition.Providers];
    private readonly HashSet<string> _sources = [.. definition.IdentitySources];

    /// <summary>The set's name.</summary>
    public string Name => definition.Name;

    /// <summary>The text that was compiled.</summary>
    public string Text => definition.Text;

    /// <summary>What decides beside the text, in one line: no name holds a space or a comma.</summary>
    public string Terms => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name} {definition.Kind} {string.Join(',', _providers.Order(StringComparer.Ordinal))} {string.Join(',', _sources.Order(StringComparer.Ordinal))} {string.Join(',', _actions.Order(StringComparer.Ordinal))} {definition.ReviewBy?.UtcTicks} {KeepsLiveLeases}");

    /// <summary>The policies.</summary>
    public ImmutableArray<Policy> Policies => policies.Policies;

    /// <summary>Whether the time has passed by which somebody had to look at it again: then it grants nothing new, and forbids as before.</summary>
    public bool IsOverdue(DateTimeOffset now) => definition.ReviewBy <= now;

    /// <summary>The set as it could decide if what lies at these paths were anything at all.</summary>
    public CompiledPolicySet Without(IEnumerable<string> paths) => new(definition, PolicyOptimism.Without(policies, paths)) { IsUnreadable = IsUnreadable };

    /// <summary>Whether what lives is left alone: what the set permitted stays permitted, and what it forbids it forbids to new leases alone.</summary>
    public bool KeepsLiveLeases => definition.KeepLiveLeases;

    /// <summary>Whether its text could not be read, so that it forbids everything in its scope.</summary>
    public bool IsUnreadable { get; init; }

    /// <summary>Whether the set has a say in a question.</summary>
    public bool Covers(PolicyScope scope) => definition.Kind != PolicySetKinds.Scoped
        || (!AdministratorActions.Contains(scope.Action)
            && (_actions.Count == 0 || _actions.Contains(scope.Action))
            && (_providers.Count == 0 || (scope.Provider is { } provider && _providers.Contains(provider)))
            && (_sources.Count == 0 || (scope.IdentitySource is { } source && _sources.Contains(source))));

    /// <summary>How what the set says comes about.</summary>
    public Explanation Explain(Request request, EntityStore entities) => _authorizer.Explain(request, entities);

    /// <summary>What the set says.</summary>
    public Response Ask(Request request, EntityStore entities) => _authorizer.IsAuthorized(request, entities);
}

/// <summary>The kinds of policy set.</summary>
public static class PolicySetKinds
{
    /// <summary>Forbids only, over everything.</summary>
    public const string Ceiling = "ceiling";

    /// <summary>Permits and forbids within a declared scope; nothing of an administrator's.</summary>
    public const string Scoped = "scoped";

    /// <summary>The operator's: everything.</summary>
    public const string Operator = "operator";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Ceiling, Scoped, Operator];
}

/// <summary>What all sets in force say together.</summary>
/// <param name="Allowed">Whether it is permitted.</param>
/// <param name="Determining">The policies that decided.</param>
/// <param name="Errors">Policies that failed: any of them denies.</param>
/// <param name="Lapsed">The sets that would have permitted it, if their review were not overdue.</param>
public sealed record Verdict(bool Allowed, IReadOnlyList<(string Id, Policy Policy)> Determining, IReadOnlyList<string> Errors, IReadOnlyList<string> Lapsed)
{
    /// <summary>Nothing permits it.</summary>
    public static Verdict Denied { get; } = new(false, [], [], []);

    /// <summary>Whether nothing but a person's approval is missing: every forbid that applies says so, a permit applies, and nothing failed.</summary>
    public bool AwaitsApproval { get; init; }

    /// <summary>The task above that could not get this itself; null where it was not for a task above that it was refused.</summary>
    public string? RefusedAbove { get; init; }

    /// <summary>The longest life that the determining permits allow; null when it is denied, or none of them says.</summary>
    public TimeSpan? MaxTtl => !Allowed ? null : Determining
        .Select(policy => DurationConverter.TryParse(policy.Policy.FindAnnotation(ReservedAnnotations.MaxTtl)?.Value, out var life) ? life : (TimeSpan?)null)
        .Min();

    /// <summary>A child gets only what every task above it could get: the first refusal counts, and every permit that it took.</summary>
    public Verdict Narrow(Verdict above, string? task)
    {
        ArgumentNullException.ThrowIfNull(above);
        return above.Allowed
            ? this with { Determining = [.. Determining.Concat(above.Determining).DistinctBy(policy => policy.Id)] }
            : above with { RefusedAbove = task };
    }
}

/// <summary>What was said of a line of questions.</summary>
/// <param name="Verdict">What they say together.</param>
/// <param name="Question">The one that decided: the first, or the one that was refused.</param>
public sealed record Answer(Verdict Verdict, Question Question);

/// <summary>Whether a live lease may live on.</summary>
public enum Holding
{
    /// <summary>It may.</summary>
    Permitted,

    /// <summary>It may not.</summary>
    NoLongerPermitted,

    /// <summary>A policy failed: nobody can say, and it lives on.</summary>
    Unclear,
}

/// <summary>What all sets in force say together of something that lives.</summary>
public sealed record LivingVerdict(Holding Holding, Verdict Verdict);

/// <summary>All policy sets in force, compiled. Default deny; a forbid of any set wins; a policy that fails denies.</summary>
public sealed class PolicyBook
{
    private readonly ImmutableArray<CompiledPolicySet> _sets;
    // What follows from parameters: unknown as long as these do not fit the role.
    internal static readonly string[] OfParameters = ["context.params", "context.destination", "context.revocability", "resource.revocability", "resource.canMint"];

    private readonly Lazy<bool> _readsCounters;
    private readonly Lazy<PolicyBook> _forAnyParameters;
    private readonly Lazy<PartialBook> _partial;

    /// <summary>Takes the compiled sets.</summary>
    public PolicyBook(IEnumerable<CompiledPolicySet> sets)
    {
        _sets = [.. sets.OrderBy(set => set.Name, StringComparer.Ordinal)];
        Hash = HashOf(_sets);
        _forAnyParameters = new Lazy<PolicyBook>(() => new PolicyBook(_sets.Select(set => set.Without(OfParameters))));
        _partial = new Lazy<PartialBook>(() => new PartialBook(this));
        _readsCounters = new Lazy<bool>(() => _sets.Any(set => set.Text.Contains("counters", StringComparison.Ordinal)));
    }

    /// <summary>SHA-256 over all that decides: names, texts, kinds, scopes, reviews, and what becomes of live leases. Hexadecimal.</summary>
    public string Hash { get; }

    /// <summary>Whether any policy looks at counters, so that they must be read for a decision.</summary>
    public bool ReadsCounters => _readsCounters.Value;

    /// <summary>The sets.</summary>
    public IReadOnlyList<CompiledPolicySet> Sets => _sets;

    /// <summary>What could be permitted for some parameters: what this denies is denied for all. Made once, when it is first asked for.</summary>
    public PolicyBook ForAnyParameters => _forAnyParameters.Value;

    /// <summary>What they say of requests that are only partly known. Made once, when it is first asked for.</summary>
    public PartialBook Partial => _partial.Value;

    /// <summary>Decides what the caller asks, and the same for each task above: one after the other, until one is refused.</summary>
    public Answer Ask(IEnumerable<Question> line, PolicySchema schema)
    {
        ArgumentNullException.ThrowIfNull(line);
        Answer? answer = null;
        foreach (var question in line)
        {
            var verdict = Ask(question, schema);
            answer = answer is null ? new Answer(verdict, question)
                : (verdict.Allowed || verdict.AwaitsApproval) && answer.Verdict.AwaitsApproval ? answer
                : verdict.Allowed ? answer with { Verdict = answer.Verdict.Narrow(verdict, question.OnBehalfOf) }
                : new Answer(answer.Verdict.Narrow(verdict, question.OnBehalfOf), question);
            // What lacks an approval may still be refused outright further up.
            if (!verdict.Allowed && !verdict.AwaitsApproval) break;
        }

        return answer ?? throw new ArgumentException("A line has at least one question.", nameof(line));
    }

    /// <summary>Decides a question.</summary>
    public Verdict Ask(Question question, PolicySchema schema)
    {
        ArgumentNullException.ThrowIfNull(question);
        ArgumentNullException.ThrowIfNull(schema);
        return question.IsBeyondPolicy ? Verdict.Denied : Ask(question.ToRequest(), question.ToStore(schema.Common), question.Scope, question.Now);
    }

    /// <summary>Decides.</summary>
    public Verdict Ask(Request request, EntityStore entities, PolicyScope scope, DateTimeOffset now)
    {
        List<(string, Policy)> permits = [], forbids = [];
        List<string> errors = [], lapsed = [];
        var grants = GrantingActions.Contains(scope.Action);
        foreach (var set in _sets)
        {
            if (!set.Covers(scope)) continue;
            var response = set.Ask(request, entities);
            // What decided are its forbids, or else its permits.
            if (grants && set.IsOverdue(now) && response.Determining is [{ Effect: Effect.Permit }, ..]) lapsed.Add(set.Name);
            else foreach (var policy in response.Determining) (policy.Effect == Effect.Permit ? permits : forbids).Add((NameOf(set, policy), policy));
            foreach (var error in response.Errors) errors.Add($"{NameOf(set, error.Policy)} at {error.Location.Line}:{error.Location.Column}: {error.Message}");
        }

        return new Verdict(permits.Count > 0 && forbids.Count == 0 && errors.Count == 0, forbids.Count > 0 ? forbids : permits, errors, lapsed)
        {
            AwaitsApproval = forbids.Count > 0 && errors.Count == 0 && forbids.TrueForAll(forbid => forbid.Item2.FindAnnotation(ReservedAnnotations.RequireApproval) is not null)
                && (permits.Count > 0 || _sets.Any(set => set.Covers(scope) && !(grants && set.IsOverdue(now)) && PermitsBut(set, request, entities))),
        };
    }

    // A set's answer names its forbids alone, once one applies.
    private static bool PermitsBut(CompiledPolicySet set, Request request, EntityStore entities) =>
        set.Explain(request, entities).Policies.Any(trace => trace is { Outcome: PolicyOutcome.Applies, Policy.Effect: Effect.Permit });

    /// <summary>How the sets that have a say in a question come to what they say.</summary>
    public IReadOnlyList<(CompiledPolicySet Set, Explanation Explanation)> Explain(Question question, PolicySchema schema)
    {
        ArgumentNullException.ThrowIfNull(question);
        ArgumentNullException.ThrowIfNull(schema);
        var (request, entities) = (question.ToRequest(), question.ToStore(schema.Common));
        return [.. _sets.Where(set => set.Covers(question.Scope)).Select(set => (set, set.Explain(request, entities)))];
    }

    /// <summary>The name of a policy in decisions: <c>set/id</c>.</summary>
    public static string NameOf(CompiledPolicySet set, Policy policy)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(policy);
        return $"{set.Name}/{policy.FindAnnotation(ReservedAnnotations.Id)?.Value ?? policy.Id}";
    }

    /// <summary>
    /// Decides over what lives. It dies of a forbid, or of a permit that is gone; never of a policy that fails, of a text that cannot be read, or of a review
    /// that is overdue: those hinder what is new. <paramref name="permittedBy"/>: the sets that permitted it.
    /// </summary>
    public LivingVerdict AskOfLiving(Request request, EntityStore entities, PolicyScope scope, IReadOnlyCollection<string> permittedBy)
    {
        ArgumentNullException.ThrowIfNull(permittedBy);
        List<(string, Policy)> permits = [], forbids = [];
        List<string> errors = [];
        foreach (var set in _sets.Where(set => set.Covers(scope)))
        {
            if (set.IsUnreadable)
            {
                errors.Add($"{set.Name} cannot be read.");
                continue;
            }

            var response = set.Ask(request, entities);
            foreach (var policy in response.Determining.Where(policy => policy.Effect == Effect.Permit || !set.KeepsLiveLeases))
                (policy.Effect == Effect.Permit ? permits : forbids).Add((NameOf(set, policy), policy));
            foreach (var error in response.Errors) errors.Add($"{NameOf(set, error.Policy)} at {error.Location.Line}:{error.Location.Column}: {error.Message}");
        }

        var verdict = new Verdict(permits.Count > 0 && forbids.Count == 0 && errors.Count == 0, forbids.Count > 0 ? forbids : permits, errors, []);
        if (forbids.Count > 0) return new LivingVerdict(Holding.NoLongerPermitted, verdict);
        if (errors.Count > 0) return new LivingVerdict(Holding.Unclear, verdict);
        var isKept = permits.Count > 0 || _sets.Any(set => set.KeepsLiveLeases && permittedBy.Contains(set.Name));
        return new LivingVerdict(isKept ? Holding.Permitted : Holding.NoLongerPermitted, verdict);
    }

    private static string HashOf(IEnumerable<CompiledPolicySet> sets)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var set in sets)
        {
            var text = Encoding.UTF8.GetBytes(set.Text);
            hash.AppendData(Encoding.UTF8.GetBytes($"{set.Terms}\n{text.Length}\n"));
            hash.AppendData(text);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
