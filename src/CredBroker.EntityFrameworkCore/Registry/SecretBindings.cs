using CredBroker.Abstractions;
using CredBroker.Core.Registry;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Registry;

/// <summary>To whom the uses of secrets belong. A row is never changed and never deleted.</summary>
internal static class SecretBindings
{
    /// <summary>Whether one of the uses belongs to another.</summary>
    public static async Task<bool> BoundElsewhereAsync(BrokerContext context, Uid uid, IReadOnlyList<SecretBinding> secrets, CancellationToken cancellationToken)
    {
        foreach (var (source, (kind, name, host)) in secrets)
        {
            var taken = await context.SecretBindings.AnyAsync(
                row => row.ConsumerKind == kind && row.ConsumerName == name && row.Source == source && row.Host == host && row.Uid != uid, cancellationToken);
            if (taken) return true;
        }

        return false;
    }

    /// <summary>Whether every use is free, or this resource's own.</summary>
    public static async Task<bool> BindableAsync(WriteSession session, Uid uid, IReadOnlyList<SecretBinding> secrets)
    {
        foreach (var secret in secrets)
            if (await FindAsync(session, secret) is { } row && row.Uid != uid) return false;
        return true;
    }

    /// <summary>Binds what is free.</summary>
    public static async Task BindAsync(WriteSession session, Uid uid, IReadOnlyList<SecretBinding> secrets)
    {
        foreach (var secret in secrets.Distinct())
        {
            if (await FindAsync(session, secret) is { } found)
            {
                if (found.Uid == uid) continue;
                // Bound by another node since the look above: the next run refuses.
                throw new LostRaceException();
            }

            var (source, (kind, name, host)) = secret;
            var row = new SecretBindingRow { ConsumerKind = kind, ConsumerName = name, Source = source, Host = host, Uid = uid, BoundAt = session.Now };
            // Another node may be binding it: the key decides, and the next run sees it.
            if (!await session.InsertIfNewAsync(session.Tables.SecretBindings, row)) throw new LostRaceException();
        }
    }

    private static Task<SecretBindingRow?> FindAsync(WriteSession session, SecretBinding secret) => session.FindAsync(
        session.Tables.SecretBindings,
        $"WHERE x.consumer_kind = {secret.Consumer.Kind} AND x.consumer_name = {secret.Consumer.Name} AND x.source = {secret.Source} AND x.host = {secret.Consumer.Host}");
}
