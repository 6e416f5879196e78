using System.Security.Cryptography;
using System.Text;

namespace CredBroker.EntityFrameworkCore.Model;

/// <summary>SHA-256 over 16 random bytes and a text: whoever has the text and the salt can check it, and once both are gone nobody can guess the text by it.</summary>
internal static class SaltedHash
{
    private const int SaltLength = 16;

    public static (byte[] Salt, byte[] Hash) Of(string text)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltLength);
        return (salt, SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(text)]));
    }
}
