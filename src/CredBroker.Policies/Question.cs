using System.Net;
using System.Text.Json.Nodes;
using CredBroker.Cedar;

namespace CredBroker.Policies;

/// <summary>A question to policy, as it is put together: request, entities, and what the audit trail keeps of it.</summary>
public sealed class Question
{
    private readonly Dictionary<EntityUid, Entity> _entities = [];
    private readonly List<(string, CedarValue)> _context = [];

    public required EntityUid Principal { get; init; }

    public required string Action { get; init; }

    public required EntityUid Resource { get; init; }

    public required PolicyScope Scope { get; init; }

    /// <summary>The task above that is asked for; null for what the caller itself asks.</summary>
    public string? OnBehalfOf { get; init; }

    /// <summary>Whether the answer is no, whatever policies say: administering is for callers of the operator's identity sources alone.</summary>
    public bool IsBeyondPolicy { get; init; }

    /// <summary>When it is asked.</summary>
    public DateTimeOffset Now { get; internal set; }

    /// <summary>What is told of the input. Texts that a caller wrote freely stay out; the hash covers them.</summary>
    public JsonObject Input { get; } = [];

    /// <summary>Adds entities; the first of a name counts.</summary>
    public Question With(params IEnumerable<Entity> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities) _entities.TryAdd(entity.Uid, entity);
        return this;
    }

    /// <summary>Adds to the context.</summary>
    public Question Context(string name, CedarValue value)
    {
        _context.Add((name, value));
        return this;
    }

    /// <summary>Adds to the context and tells of it.</summary>
    public Question Context(string name, string value)
    {
        Input[name] = value;
        return Context(name, (CedarValue)value);
    }

    /// <summary>What every call knows.</summary>
    public Question Call(DateTimeOffset now, IPAddress sourceIp, IEnumerable<KeyValuePair<string, string>> attested)
    {
        ArgumentNullException.ThrowIfNull(sourceIp);
        Now = now;
        With(BrokerEntities.Tags(BrokerEntities.Attested, attested));
        Input["now"] = now.ToString("O", System.Globalization.CultureInfo.InvariantCulture);
        Input["source_ip"] = sourceIp.ToString();
        return Context("now", CedarDatetime.From(now)).Context("sourceIp", CedarIpAddress.From(sourceIp)).Context("attested", BrokerEntities.Attested);
    }

    public Request ToRequest() => new(Principal, BrokerEntities.Action(Action), Resource, CedarRecord.Of([.. _context]));

    /// <summary>What is known of entities, with what <paramref name="common"/> adds for every question.</summary>
    public EntityStore ToStore(IEnumerable<Entity> common) => EntityStore.Create(_entities.Values.Concat(common.Where(entity => !_entities.ContainsKey(entity.Uid))));

    /// <summary>Who, what, on what and under which circumstances, without what is known of entities.</summary>
    internal CedarRecord ContextRecord => CedarRecord.Of([.. _context]);

    internal IReadOnlyCollection<Entity> Entities => _entities.Values;

    /// <summary>SHA-256 over everything that policy can see, hexadecimal.</summary>
    public string Hash() => QuestionHash.Of(this);
}
