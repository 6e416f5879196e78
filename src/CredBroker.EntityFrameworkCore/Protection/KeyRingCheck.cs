using System.Security.Cryptography;
using CredBroker.Core.Leases;
using CredBroker.EntityFrameworkCore.Hosting;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.EntityFrameworkCore;

namespace CredBroker.EntityFrameworkCore.Protection;

/// <summary>
/// At start: Data Protection would answer a wrong wrapping key by a new key ring, and the handles would be found unreadable one by one when
/// they are needed. Here that is an error at once.
/// </summary>
internal sealed class KeyRingCheck(
    KeyRingRepository repository, ReadContexts contexts, IKeyManager keys, IDataProtectionProvider protection, IServiceProvider services)
{
    // What Data Protection writes: 4 bytes that never change, then the key's id.
    private const int KeyIdAt = 4;
    private const int KeyIdSize = 16;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Unwrap();
        // Makes the first key while nothing waits for it.
        protection.CreateProtector("CredBroker.Check").Protect([]);
        var known = keys.GetAllKeys().Select(key => key.KeyId).ToHashSet();
        foreach (var needed in await NeededAsync(cancellationToken))
        {
            if (!known.Contains(needed)) throw new CryptographicException($"The key ring lacks the key {needed}, under which handles of leases are encrypted that are not proven dead.");
        }

        await CheckMarksAsync(cancellationToken);
    }

    // Without its key a lease's mark cannot be made again: what is at the target would be taken for somebody else's, and never be revoked.
    private async Task CheckMarksAsync(CancellationToken cancellationToken)
    {
        if (services.GetService(typeof(WrappingKeys)) is not WrappingKeys wrapping) return;
        var noted = await contexts.ReadAsync(context =>
            context.Leases.Where(row => row.State <= LeaseState.Revoking && row.MarkKeyId != "").Select(row => row.MarkKeyId).Distinct().ToListAsync(cancellationToken));
        if (noted.Find(id => !wrapping.MarkKeyIds.Contains(id)) is { } missing)
            throw new CryptographicException($"Leases that are not proven dead carry marks at their targets which were made with the wrapping key {missing}: name that key among the previous ones until they are dead.");
    }

    private void Unwrap()
    {
        var wrapped = repository.GetAllElements().SelectMany(element => element.DescendantsAndSelf("wrapped")).ToList();
        if (wrapped.Count == 0) return;
        if (services.GetService(typeof(WrappingKeys)) is not WrappingKeys wrapping)
            throw new CryptographicException("The key ring is wrapped, and no wrapping key is configured.");
        foreach (var element in wrapped) wrapping.Decrypt(element);
    }

    private Task<HashSet<Guid>> NeededAsync(CancellationToken cancellationToken) => contexts.ReadAsync(async context =>
    {
        var needed = new HashSet<Guid>();
        var handles = context.Leases.Where(row => row.State <= LeaseState.Revoking && row.Handle != null).Select(row => row.Handle!).AsAsyncEnumerable();
        await foreach (var handle in handles.WithCancellation(cancellationToken))
        {
            if (handle.Length >= KeyIdAt + KeyIdSize) needed.Add(new Guid(handle.AsSpan(KeyIdAt, KeyIdSize)));
        }

        return needed;
    });
}
