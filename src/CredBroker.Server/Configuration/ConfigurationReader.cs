using System.Security.Cryptography;
using System.Text;

namespace CredBroker.Server.Configuration;

/// <summary>Reads the operator's file and the environment over it, and says everything that is wrong at once.</summary>
public sealed class ConfigurationReader(IReadOnlyDictionary<string, string> environment)
{
    /// <summary>No configuration is larger.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>The name of the file where none is said.</summary>
    public const string DefaultFile = "credbroker.yaml";

    /// <summary>Reads.</summary>
    /// <param name="file">The file; null for <see cref="DefaultFile"/>, which may be absent: then the environment says it all.</param>
    /// <param name="create">Make a key for development where there is none; false only checks.</param>
    public ConfigurationResult Read(string? file, bool create)
    {
        var path = Path.GetFullPath(file ?? DefaultFile);
        var shown = file ?? DefaultFile;
        var errors = new ConfigurationErrors(shown);
        var bytes = Load(path, mustExist: file is not null, shown, errors);
        var root = bytes is null ? new ConfigurationNode.Mapping(shown, []) : YamlFile.Read(shown, Decode(bytes, shown, errors), errors);
        EnvironmentOverlay.Apply(root, environment, errors);
        if (bytes is null && errors.All.Count > 0 && file is not null) return new ConfigurationResult.Invalid(errors.All);

        var configuration = ConfigurationPaths.Resolve(new ConfigurationBinder(errors).Bind(root), Path.GetDirectoryName(path)!);
        var installation = WrappingKeys.Load(configuration, environment.GetValueOrDefault, create: false, errors);
        ConfigurationRules.Check(configuration, installation, errors);
        SecretRules.Check(configuration, environment.GetValueOrDefault, errors);
        if (errors.All.Count == 0 && create) installation = WrappingKeys.Load(configuration, environment.GetValueOrDefault, create: true, errors);
        return errors.All.Count > 0
            ? new ConfigurationResult.Invalid(errors.All)
            : new ConfigurationResult.Valid(configuration, installation, Convert.ToHexStringLower(SHA256.HashData(bytes ?? [])));
    }

    private static byte[]? Load(string path, bool mustExist, string shown, ConfigurationErrors errors)
    {
        try
        {
            if (!File.Exists(path))
            {
                if (mustExist) errors.Form(shown, "", "There is no such file.");
                return null;
            }

            if (new FileInfo(path).Length <= MaxBytes) return File.ReadAllBytes(path);
            errors.Form(shown, "", $"The file is larger than {MaxBytes} bytes.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Form(shown, "", $"The file cannot be read: {e.Message}");
        }

        return null;
    }

    private static string Decode(byte[] bytes, string shown, ConfigurationErrors errors)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            errors.Form(shown, "", "The file is not UTF-8.");
            return "";
        }
    }
}
