using System.Security.Cryptography;
using CredBroker.Abstractions;

namespace CredBroker.Testing.Scripted;

/// <summary>
/// A target in memory, which outlives the providers that are connected to it. It has credentials, sessions, an identity, and effects that
/// are still on their way. Its clock is the one it was given. Safe for concurrent use.
/// </summary>
public sealed class ScriptedTarget
{
    /// <summary>What every secret of this target begins with, so that a test can search for a leak.</summary>
    public const string SecretMark = "scripted-secret-";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ScriptedCredential> _credentials = new(StringComparer.Ordinal);
    private readonly List<ScriptedSession> _sessions = [];
    private readonly List<(DateTimeOffset Due, Action Act)> _onTheWay = [];
    private readonly TimeProvider _time;

    internal ScriptedTarget(string name, TimeProvider time)
    {
        _time = time;
        Documents = new ScriptedDocuments(this);
        Identity = $"scripted:{name}";
    }

    /// <summary>What the target says it is. Change it, and it is another target at the same address.</summary>
    public string Identity { get; set; }

    /// <summary>How long a revocation needs at the target before it is proven.</summary>
    public TimeSpan SettlesWithin { get; set; } = TimeSpan.Zero;

    /// <summary>What a check answers.</summary>
    public IReadOnlyList<HealthFinding> Findings { get; set; } = [new(FindingLevel.Ok, "script", "It follows the script.")];

    /// <summary>The documents that deny what is in a group.</summary>
    public ScriptedDocuments Documents { get; }

    /// <summary>How far the target's clock is from the one that it was given.</summary>
    public TimeSpan ClockOffset { get; set; }

    /// <summary>How the calls go, and what was called.</summary>
    public ScriptedCalls Calls { get; } = new();

    /// <summary>What exists now.</summary>
    public IReadOnlyList<ScriptedCredential> Credentials
    {
        get
        {
            lock (_lock)
            {
                Arrive();
                return [.. _credentials.Values];
            }
        }
    }

    /// <summary>What has been opened and not been cut.</summary>
    public IReadOnlyList<ScriptedSession> Sessions
    {
        get
        {
            lock (_lock) return [.. _sessions.Where(session => !session.Cut)];
        }
    }

    /// <summary>The target's clock.</summary>
    public DateTimeOffset Now => _time.GetUtcNow() + ClockOffset;

    /// <summary>Logs in; null when the credential is not accepted.</summary>
    public ScriptedSession? Open(string name, Secret password)
    {
        lock (_lock)
        {
            Arrive();
            if (!_credentials.TryGetValue(name, out var credential) || credential.DisabledAt is not null || credential.ExpiresAt <= Now) return null;
            if (Documents.Deny(credential)) return null;
            if (credential.Password.Reveal() != password.Reveal()) return null;
            var session = new ScriptedSession(name);
            _sessions.Add(session);
            return session;
        }
    }

    /// <summary>Puts something there that the broker did not make, or takes it for its own.</summary>
    public void Plant(string name, string? mark, DateTimeOffset expiresAt) => Put(new() { Name = name, Mark = mark, ExpiresAt = expiresAt, Password = NewSecret() });

    /// <summary>Takes something away behind the broker's back.</summary>
    public void Remove(string name)
    {
        lock (_lock) _credentials.Remove(name);
    }

    /// <summary>The target loses everything, as a rebuilt one has.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _credentials.Clear();
            _onTheWay.Clear();
            foreach (var session in _sessions) session.Cut = true;
        }
    }

    /// <summary>Whether a group's document denies it.</summary>
    public bool IsDenied(ScriptedCredential credential)
    {
        lock (_lock)
        {
            Arrive();
            return Documents.Deny(credential);
        }
    }

    internal static Secret NewSecret() => new(SecretMark + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));

    internal ScriptedCredential? Find(string name)
    {
        lock (_lock)
        {
            Arrive();
            return _credentials.GetValueOrDefault(name);
        }
    }

    internal void Put(ScriptedCredential credential)
    {
        lock (_lock) _credentials[credential.Name] = credential;
    }

    internal void Later(TimeSpan after, Action act)
    {
        lock (_lock) _onTheWay.Add((Now + after, act));
    }

    /// <summary>Disables what is there and, where that is promised, cuts what it opened. Answers when it was first disabled.</summary>
    internal DateTimeOffset Disable(ScriptedCredential credential)
    {
        lock (_lock)
        {
            if (credential.Revocability == RevocabilityKind.DeletesAndCutsSessions)
                foreach (var session in _sessions.Where(session => session.Name == credential.Name)) session.Cut = true;
            var at = credential.DisabledAt ?? Now;
            if (_credentials.ContainsKey(credential.Name)) _credentials[credential.Name] = credential with { DisabledAt = at };
            return at;
        }
    }

    // Effects that have become due happen before anything is looked at.
    private void Arrive()
    {
        var due = _onTheWay.Where(effect => effect.Due <= Now).ToList();
        _onTheWay.RemoveAll(effect => due.Contains(effect));
        foreach (var effect in due) effect.Act();
    }
}
