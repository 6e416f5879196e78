using System.Globalization;

namespace CredBroker.Server.Configuration;

/// <summary>Every secret that the file names can be had, and says who may use it.</summary>
internal static class SecretRules
{
    public static void Check(ServerConfiguration configuration, Func<string, string?> environment, ConfigurationErrors errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < configuration.SecretSources.Count; i++)
        {
            var source = configuration.SecretSources[i];
            var path = $"secretSources[{i}]";
            ConfigurationRules.CheckName($"{path}.name", source.Name, errors);
            if (!names.Add(source.Name)) errors.Rule($"{path}.name", "This name appears twice.");
            if ((source.File is null) == (source.Env is null)) errors.Rule(path, "Name a file or an environment variable (env), one of the two.");
            else CheckReadable(source.File, $"{path}.file", source.Env, $"{path}.env", environment, errors);
            if (source.Consumers.Count == 0) errors.Rule($"{path}.consumers", "Name who may use it: a provider and its host, or a hook.");
            for (var j = 0; j < source.Consumers.Count; j++) CheckConsumer(source.Consumers[j], $"{path}.consumers[{j}]", errors);
        }

        if (configuration.Storage.Postgresql is { } postgres)
        {
            CheckReadable(postgres.PasswordFile, "storage.postgresql.passwordFile", postgres.PasswordEnv, "storage.postgresql.passwordEnv", environment, errors);
        }
    }

    private static void CheckConsumer(SecretConsumerConfiguration consumer, string path, ConfigurationErrors errors)
    {
        if ((consumer.Provider is null) == (consumer.Hook is null))
        {
            errors.Rule(path, "Name a provider with its host, or a hook, one of the two.");
            return;
        }

        ConfigurationRules.CheckName(consumer.Provider is null ? $"{path}.hook" : $"{path}.provider", consumer.Provider ?? consumer.Hook!, errors);
        if (consumer.Hook is not null && consumer.Host is not null) errors.Rule($"{path}.host", "A hook's secret is sent nowhere: leave the host out.");
        if (consumer.Provider is not null && !IsHost(consumer.Host ?? ""))
            errors.Rule($"{path}.host", "Name the host to which the provider may send it, without scheme; with its port only where it is reached without TLS.");
    }

    private static bool IsHost(string host) => Uri.CheckHostName(host) != UriHostNameType.Unknown
        || (host.LastIndexOf(':') is > 0 and var colon && Uri.CheckHostName(host[..colon]) != UriHostNameType.Unknown
            && ushort.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0);

    private static void CheckReadable(string? file, string filePath, string? variable, string variablePath, Func<string, string?> environment, ConfigurationErrors errors)
    {
        if (variable is not null && environment(variable) is not { Length: > 0 }) errors.Rule(variablePath, "This environment variable is not set.");
        if (file is null) return;
        try
        {
            if (PrivateFile.ReadText(file).Length == 0) errors.Rule(filePath, "This file is empty.");
        }
        catch (IOException e)
        {
            errors.Rule(filePath, e.Message);
        }
    }
}
