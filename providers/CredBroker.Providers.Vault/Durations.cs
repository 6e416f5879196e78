using System.Globalization;

namespace CredBroker.Providers.Vault;

/// <summary>Durations as the target takes them: whole seconds, never rounded up.</summary>
internal static class Durations
{
    public static string Format(TimeSpan value) => string.Create(CultureInfo.InvariantCulture, $"{WholeSeconds(value)}s");

    public static long WholeSeconds(TimeSpan value) => (long)Math.Floor(value.TotalSeconds);
}
