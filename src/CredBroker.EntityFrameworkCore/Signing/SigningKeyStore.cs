using CredBroker.Core.Signing;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Signing;

/// <summary>The signing keys, in the database; their private parts encrypted for their family and id alone.</summary>
internal sealed class SigningKeyStore(BrokerWriter writer, ReadContexts contexts, IDataProtectionProvider protection) : ISigningKeyStore
{
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(1);

    public async Task<IReadOnlyList<StoredSigningKey>> LoadAsync(CancellationToken cancellationToken)
    {
        var rows = await contexts.ReadAsync(context => context.SigningKeys.OrderBy(row => row.Family).ThenBy(row => row.Ordinal).ToListAsync(cancellationToken));
        return
        [
            .. rows.Select(row => new StoredSigningKey
            {
                Uid = row.Uid,
                Family = row.Family,
                Ordinal = row.Ordinal,
                KeyId = row.KeyId,
                Pkcs8 = ProtectorOf(row.Family, row.KeyId).Unprotect(row.Encrypted),
                PublishedAt = row.PublishedAt,
                UseFrom = row.UseFrom,
                RetireAt = row.RetireAt,
            }),
        ];
    }

    public Task<bool> TryAddAsync(StoredSigningKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        var row = new SigningKeyRow
        {
            Uid = key.Uid,
            Family = key.Family,
            Ordinal = key.Ordinal,
            KeyId = key.KeyId,
            Encrypted = ProtectorOf(key.Family, key.KeyId).Protect(key.Pkcs8),
            PublishedAt = key.PublishedAt,
            UseFrom = key.UseFrom,
            RetireAt = key.RetireAt,
        };
        return writer.WriteAsync(
            LockSet.None,
            async session =>
            {
                // A node that stood still between making it and writing it: its successor would be used at once.
                if (row.Ordinal > 1 && session.Now - row.PublishedAt > Late) return false;
                return await session.InsertIfNewAsync(session.Tables.SigningKeys, row);
            },
            cancellationToken);
    }

    private IDataProtector ProtectorOf(KeyFamily family, string keyId) => protection.CreateProtector("CredBroker.SigningKey", family.ToString(), keyId);
}
