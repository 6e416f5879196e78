using System.Security.Cryptography;
using CredBroker.Core.Signing;

namespace CredBroker.Server.Configuration;

/// <summary>Finds the wrapping keys, which are the operator's and outside the database.</summary>
internal static class WrappingKeys
{
    /// <summary>The installation with its keys. Where a key can't be had, why is reported, and a throw-away one stands in so that checking goes on.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="environment">Looks an environment variable up.</param>
    /// <param name="create">Make a key for development where there is none; else only check.</param>
    /// <param name="errors">Takes what is wrong.</param>
    public static InstallationOptions Load(ServerConfiguration configuration, Func<string, string?> environment, bool create, ConfigurationErrors errors)
    {
        var installation = configuration.Installation;
        return new InstallationOptions
        {
            Id = installation.Id,
            PublicUrl = installation.PublicUrl,
            WrappingKey = Find(configuration, environment, create, errors) ?? RandomNumberGenerator.GetBytes(InstallationOptions.WrappingKeySize),
            PreviousWrappingKeys =
            [
                .. installation.PreviousWrappingKeyFiles.Select((file, i) => FromFile(file, $"installation.previousWrappingKeyFiles[{i}]", errors)).OfType<byte[]>(),
            ],
        };
    }

    /// <summary>Where a key made for development is kept: beside the database.</summary>
    public static string DevelopmentKeyFile(ServerConfiguration configuration) => $"{configuration.Storage.Sqlite!.Path}.key";

    /// <summary>Whether a key is made where none is configured.</summary>
    public static bool MayMake(ServerConfiguration configuration) => configuration is
    {
        Installation: { Environment: RuntimeEnvironment.Development, WrappingKeyFile: null, WrappingKeyEnv: null },
        Storage.Sqlite: not null,
    } && ListenRules.OnlyLoopback(configuration.Listen);

    private static byte[]? Find(ServerConfiguration configuration, Func<string, string?> environment, bool create, ConfigurationErrors errors)
    {
        var installation = configuration.Installation;
        if (installation is { WrappingKeyFile: not null, WrappingKeyEnv: not null })
        {
            errors.Rule("installation.wrappingKeyEnv", "Name a file or a variable, not both.");
            return null;
        }

        if (installation.WrappingKeyFile is { } file) return FromFile(file, "installation.wrappingKeyFile", errors);
        if (installation.WrappingKeyEnv is { } name) return FromVariable(name, environment, errors);
        if (!MayMake(configuration))
        {
            errors.Rule("installation.wrappingKeyFile",
                "A wrapping key is required: 32 random bytes in base64, in a file of mode 0600 (head -c 32 /dev/urandom | base64). "
                + "Only with installation.environment: development, on loopback and SQLite, is one made.");
            return null;
        }

        var made = DevelopmentKeyFile(configuration);
        if (!create && !File.Exists(made)) return null;
        if (!File.Exists(made)) PrivateFile.Create(made, Convert.ToBase64String(RandomNumberGenerator.GetBytes(InstallationOptions.WrappingKeySize)) + "\n");
        return FromFile(made, "installation.wrappingKeyFile", errors);
    }

    private static byte[]? FromFile(string file, string path, ConfigurationErrors errors)
    {
        try
        {
            return Decode(PrivateFile.ReadText(file), path, errors);
        }
        catch (IOException e)
        {
            errors.Rule(path, e.Message);
            return null;
        }
    }

    private static byte[]? FromVariable(string name, Func<string, string?> environment, ConfigurationErrors errors)
    {
        const string Path = "installation.wrappingKeyEnv";
        if (environment(name) is { Length: > 0 } text) return Decode(text, Path, errors);
        errors.Rule(Path, "This environment variable is not set.");
        return null;
    }

    private static byte[]? Decode(string text, string path, ConfigurationErrors errors)
    {
        var key = new byte[InstallationOptions.WrappingKeySize];
        if (Convert.TryFromBase64String(text.Trim(), key, out var length) && length == key.Length && key.Any(value => value != key[0])) return key;
        errors.Rule(path, "A wrapping key is 32 random bytes in base64, 44 characters.");
        return null;
    }
}
