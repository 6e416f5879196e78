using System.Security.Cryptography;
using System.Text;
using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;

namespace CredBroker.EntityFrameworkCore.Protection;

/// <summary>Encrypts handles for their lease and provider alone: copied to another row, one cannot be read.</summary>
internal sealed partial class HandleProtection(IDataProtectionProvider protection, ILogger<HandleProtection> logger)
{
    // What Data Protection writes: 4 bytes that never change, then the key's id.
    private const int KeyIdAt = 4;
    private const int KeyIdSize = 16;

    /// <summary>Which key of the ring an encrypted handle needs; null where there is none.</summary>
    public static Uid? KeyOf(byte[]? handle) => handle?.Length >= KeyIdAt + KeyIdSize ? new Uid(new Guid(handle.AsSpan(KeyIdAt, KeyIdSize))) : null;

    /// <summary>The handle as it is stored and as the writer passes it on. A byte of the encrypted form is one character.</summary>
    public Handle Seal(Handle handle, Uid lease, Uid provider) =>
        new(Encoding.Latin1.GetString(ProtectorOf(lease, provider).Protect(Encoding.UTF8.GetBytes(handle.Value))));

    /// <summary>The lease with its handle readable. One that cannot be read is left out, because a lease can be revoked by its external name too.</summary>
    public Lease Open(Lease lease)
    {
        if (lease.Handle is not { } handle) return lease;
        try
        {
            var opened = ProtectorOf(lease.Id, lease.Gates.Provider.Uid).Unprotect(Encoding.Latin1.GetBytes(handle.Value));
            return lease with { Handle = new Handle(Encoding.UTF8.GetString(opened)) };
        }
        catch (CryptographicException e)
        {
            LogUnreadable(logger, lease.Id, e);
            return lease with { Handle = null };
        }
    }

    private IDataProtector ProtectorOf(Uid lease, Uid provider) => protection.CreateProtector("CredBroker.Handle", lease.ToString(), provider.ToString());

    [LoggerMessage(Level = LogLevel.Error, Message = "The handle of lease {Lease} cannot be decrypted: it is revoked by its external name")]
    private static partial void LogUnreadable(ILogger logger, Uid lease, Exception error);
}
