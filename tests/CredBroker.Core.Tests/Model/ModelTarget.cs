namespace CredBroker.Core.Tests.Model;

/// <summary>What exists at the model's target: it has no end of its own unless it can only expire.</summary>
internal sealed record ModelCredential(string Name, bool ExpiresOnly, DateTimeOffset ExpiresAt);

/// <summary>
/// The target: what was made there, what is still on its way, and who it says it is. It is as unkind as the seam lets it be: an effect arrives at the last
/// moment that was declared, nothing ends by itself that need not, and "not there" is answered at once.
/// </summary>
internal sealed class ModelTarget(TimeProvider time)
{
    /// <summary>Who it is; another while another server answers at its address.</summary>
    public const string Home = "model:home";

    private readonly Dictionary<string, ModelCredential> _credentials = new(StringComparer.Ordinal);
    private readonly List<(DateTimeOffset Latest, string Name, Action Act)> _onTheWay = [];

    /// <summary>Who answers.</summary>
    public string Identity { get; set; } = Home;

    /// <summary>Whether somebody else answers at its address, who has nothing of it.</summary>
    public bool IsAnother => Identity != Home;

    /// <summary>Every name that an issuing call was sent for.</summary>
    public HashSet<string> Asked { get; } = new(StringComparer.Ordinal);

    /// <summary>What is on its way.</summary>
    public int OnTheWay => _onTheWay.Count;

    /// <summary>When the next effect arrives at the latest.</summary>
    public DateTimeOffset? NextArrival => _onTheWay.Count == 0 ? null : _onTheWay.Min(effect => effect.Latest);

    /// <summary>What opens something now.</summary>
    public IEnumerable<ModelCredential> Alive => _credentials.Values.Where(found => !found.ExpiresOnly || found.ExpiresAt > time.GetUtcNow());

    public ModelCredential? Find(string name) => IsAnother ? null : _credentials.GetValueOrDefault(name);

    /// <summary>Grows with every change.</summary>
    public int Version { get; private set; }

    public void Put(ModelCredential credential)
    {
        Version++;
        _credentials[credential.Name] = credential;
    }

    public void Remove(string name)
    {
        if (!IsAnother && _credentials.Remove(name)) Version++;
    }

    /// <summary>It was sent and is not here yet.</summary>
    public void Later(DateTimeOffset latest, string name, Action act) => _onTheWay.Add((latest, name, act));

    /// <summary>One effect arrives, or never does. Answers whose.</summary>
    public string Arrive(int index, bool lost = false)
    {
        var (_, name, act) = _onTheWay[index];
        _onTheWay.RemoveAt(index);
        if (!lost) act();
        return name;
    }

    /// <summary>All that is due arrives: a call that was sent acts at the last moment that its provider declared.</summary>
    public void ArriveUntil(DateTimeOffset now)
    {
        for (var i = _onTheWay.Count - 1; i >= 0; i--)
        {
            if (_onTheWay[i].Latest <= now) Arrive(i);
        }
    }
}
