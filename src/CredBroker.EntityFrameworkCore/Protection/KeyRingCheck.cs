using System.Security.Cryptography;
using CredBroker.Abstractions;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace CredBroker.EntityFrameworkCore.Protection;

/// <summary>
/// At start: Data Protection would answer a wrong wrapping key by a new key ring, and the handles would be found unreadable one by one when
/// they are needed. Here that is an error at once.
/// </summary>
internal sealed class KeyRingCheck(
    KeyRingRepository repository, ReadSessions sessions, IKeyManager keys, IDataProtectionProvider protection, IServiceProvider services)
{
    /// <summary>The first key after this one that a handle needs: one look into its index, however many leases live.</summary>
    public static FormattableString NextHandleKey(SqlText leases, Uid after) =>
        $"SELECT x.handle_key FROM {leases} x WHERE x.state <= 3 AND x.handle_key IS NOT NULL AND x.handle_key > {after} ORDER BY x.handle_key LIMIT 1";

    /// <summary>The first wrapping key after this one that a mark was made with, in the same way.</summary>
    public static FormattableString NextMarkKey(SqlText leases, string after) =>
        $"SELECT x.mark_key_id FROM {leases} x WHERE x.state <= 3 AND x.mark_key_id <> '' AND x.mark_key_id > {after} ORDER BY x.mark_key_id LIMIT 1";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Unwrap();
        // Makes the first key while nothing waits for it.
        protection.CreateProtector("CredBroker.Check").Protect([]);
        var known = keys.GetAllKeys().Select(key => key.KeyId).ToHashSet();
        await sessions.ReadAsync(session => CheckHandlesAsync(session, known), cancellationToken);
        if (services.GetService(typeof(WrappingKeys)) is WrappingKeys wrapping) await sessions.ReadAsync(session => CheckMarksAsync(session, wrapping), cancellationToken);
    }

    private static async Task<bool> CheckHandlesAsync(SqlSession session, HashSet<Guid> known)
    {
        for (var key = default(Uid); ;)
        {
            var found = await session.UidsAsync(NextHandleKey(session.Tables.Leases.Name, key));
            if (found is not [var needed]) return true;
            if (!known.Contains(needed.Value)) throw new CryptographicException($"The key ring lacks the key {needed.Value}, under which handles of leases are encrypted that are not proven dead.");
            key = needed;
        }
    }

    // Without its key a lease's mark cannot be made again: what is at the target would be taken for somebody else's, and never be revoked.
    private static async Task<bool> CheckMarksAsync(SqlSession session, WrappingKeys wrapping)
    {
        for (var key = ""; ;)
        {
            var found = await session.ReadAsync(NextMarkKey(session.Tables.Leases.Name, key), static reader => reader.GetString(0));
            if (found is not [var noted]) return true;
            if (!wrapping.MarkKeyIds.Contains(noted))
                throw new CryptographicException($"Leases that are not proven dead carry marks at their targets which were made with the wrapping key {noted}: name that key among the previous ones until they are dead.");
            key = noted;
        }
    }

    private void Unwrap()
    {
        var wrapped = repository.GetAllElements().SelectMany(element => element.DescendantsAndSelf("wrapped")).ToList();
        if (wrapped.Count == 0) return;
        if (services.GetService(typeof(WrappingKeys)) is not WrappingKeys wrapping)
            throw new CryptographicException("The key ring is wrapped, and no wrapping key is configured.");
        foreach (var element in wrapped) wrapping.Decrypt(element);
    }
}
