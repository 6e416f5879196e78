using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CredBroker.Providers.PostgreSql.Logins;

/// <summary>
/// What the server keeps instead of a password (RFC 5803 in PostgreSQL's form). Made here, so that the password is in no statement, and so in no
/// log of the server.
/// </summary>
internal static class ScramVerifier
{
    /// <summary>A new password of 192 random bits: 32 ASCII characters, which SASLprep leaves as they are.</summary>
    public static string NewPassword() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(24)).Replace('+', '-').Replace('/', '_');

    /// <summary>Its verifier: SCRAM-SHA-256 (RFC 5802, section 3; RFC 7677).</summary>
    public static string Of(string password, int iterations) => Of(password, iterations, RandomNumberGenerator.GetBytes(16));

    internal static string Of(string password, int iterations, byte[] salt)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.ASCII.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, 32);
        var storedKey = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        var serverKey = HMACSHA256.HashData(salted, "Server Key"u8);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"SCRAM-SHA-256${iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(storedKey)}:{Convert.ToBase64String(serverKey)}");
    }
}
