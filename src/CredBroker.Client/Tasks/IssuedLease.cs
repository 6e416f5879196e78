using CredBroker.Contracts.V1;

namespace CredBroker.Client.Tasks;

/// <summary>A lease and its credential, which the broker shows this once.</summary>
public sealed class IssuedLease
{
    internal IssuedLease(Lease lease, IReadOnlyDictionary<string, SecretValue> credential, DateTimeOffset expireTime)
    {
        Lease = lease;
        ExpireTime = expireTime;
        Credential = credential;
    }

    /// <summary>The lease.</summary>
    public Lease Lease { get; }

    /// <summary>Its name, <c>tasks/{task}/leases/{lease}</c>.</summary>
    public string Name => Lease.Name;

    /// <summary>The credential's named fields.</summary>
    public IReadOnlyDictionary<string, SecretValue> Credential { get; }

    /// <summary>When it expires unless it is renewed.</summary>
    public DateTimeOffset ExpireTime { get; }

    /// <summary>One field of the credential.</summary>
    /// <exception cref="KeyNotFoundException">The credential has no such field; the message names those that it has.</exception>
    public SecretValue this[string field] => Credential.TryGetValue(field, out var value)
        ? value
        : throw new KeyNotFoundException($"The credential has no field '{field}', but {string.Join(", ", Credential.Keys)}.");

    /// <summary>The lease's name; never the credential.</summary>
    public override string ToString() => Name;
}
