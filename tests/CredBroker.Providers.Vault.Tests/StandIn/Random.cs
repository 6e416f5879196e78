using System.Security.Cryptography;

namespace CredBroker.Providers.Vault.Tests.StandIn;

/// <summary>What the server draws at random.</summary>
internal static class Random
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    public static string Text(int length) => RandomNumberGenerator.GetString(Alphabet, length);

    public static string Uuid() => new Guid(RandomNumberGenerator.GetBytes(16)).ToString();

    public static string Hex(int length) => RandomNumberGenerator.GetHexString(length, lowercase: true);
}
