using System.Text.RegularExpressions;
using CredBroker.Core;
using CredBroker.Core.Identity;
using CredBroker.Core.Signing;

namespace CredBroker.Server.Configuration;

/// <summary>What the values may be, beyond their form. Every rule is checked, whatever the others found.</summary>
internal static partial class ConfigurationRules
{
    public static void Check(ServerConfiguration configuration, InstallationOptions installation, ConfigurationErrors errors)
    {
        // Of the wrapping key WrappingKeys has already said more than the installation's own rule knows.
        errors.Rules("installation", installation.Validate().Where(error => error.Path != "wrappingKey"));
        ListenRules.Check(configuration, errors);
        CheckStorage(configuration.Storage, errors);
        CheckOperator(configuration.Operator, installation, errors);
        errors.Rules("egress", configuration.Egress.Validate());
        CheckManifests(configuration.Manifests, errors);
        CheckLimits(configuration.Limits, errors);
    }

    private static void CheckStorage(StorageConfiguration storage, ConfigurationErrors errors)
    {
        if (storage is { Sqlite: not null, Postgresql: not null }) errors.Rule("storage.postgresql", "Name one database, not two.");
        if (storage.Sqlite is { } sqlite) CheckSqlite(sqlite, errors);
        if (storage.WitnessFile is { } witness && !Directory.Exists(Path.GetDirectoryName(witness))) errors.Rule("storage.witnessFile", $"There is no folder {Path.GetDirectoryName(witness)}.");
        if (storage.Postgresql is not { } postgres) return;
        Require("storage.postgresql.host", postgres.Host, errors);
        Require("storage.postgresql.database", postgres.Database, errors);
        Require("storage.postgresql.username", postgres.Username, errors);
        if (postgres.Port is < 1 or > 65535) errors.Rule("storage.postgresql.port", "A port lies between 1 and 65535.");
        if (postgres.MaxConnections is < 2 or > 1000) errors.Rule("storage.postgresql.maxConnections", "This lies between 2 and 1000.");
        if (postgres is { PasswordFile: not null, PasswordEnv: not null }) errors.Rule("storage.postgresql.passwordEnv", "Name a file or a variable, not both.");
        if (postgres is { PasswordFile: null, PasswordEnv: null, Host: not ['/', ..] })
            errors.Rule("storage.postgresql.passwordFile", "A password is required, in a file or a variable, except through a local socket.");
        if (postgres.RootCertificateFile is { } root && !File.Exists(root)) errors.Rule("storage.postgresql.rootCertificateFile", $"There is no file {root}.");
    }

    private static void CheckSqlite(SqliteConfiguration sqlite, ConfigurationErrors errors)
    {
        if (sqlite.KeptBackMiB < 1) errors.Rule("storage.sqlite.keptBackMiB", "This must be 1 or more.");
        if (sqlite.Path.Length == 0) errors.Rule("storage.sqlite.path", "This is required.");
        else if (Directory.Exists(sqlite.Path)) errors.Rule("storage.sqlite.path", "This is a folder: name the database's file.");
        else if (!Directory.Exists(Path.GetDirectoryName(sqlite.Path))) errors.Rule("storage.sqlite.path", $"There is no folder {Path.GetDirectoryName(sqlite.Path)}.");
    }

    private static void CheckOperator(OperatorConfiguration configuration, InstallationOptions installation, ConfigurationErrors errors)
    {
        var known = new List<RegisteredIdentitySource>();
        for (var i = 0; i < configuration.IdentitySources.Count; i++)
        {
            var source = configuration.IdentitySources[i];
            var path = $"operator.identitySources[{i}]";
            CheckName($"{path}.name", source.Name, errors);
            if (known.Exists(other => other.Name == source.Name)) errors.Rule($"{path}.name", "This name appears twice.");
            errors.Rules(path, IdentitySourceRules.Validate(source.Spec, installation, operatorOwned: true));
            errors.Rules(path, IdentitySourceRules.Conflicts(source.Name, source.Spec, installation, known));
            known.Add(new RegisteredIdentitySource(default, source.Name, 0, source.Spec, OperatorOwned: true));
        }

        if (configuration.Root is not { } root)
        {
            errors.Rule("operator.root", "Name the first administrator by identitySource and subject: without one nobody could administer the broker.");
            return;
        }

        Require("operator.root.subject", root.Subject, errors);
        if (!known.Exists(source => source.Name == root.IdentitySource))
            errors.Rule("operator.root.identitySource", "This must be the name of one of operator.identitySources: no other may administer.");
    }

    private static void CheckManifests(ManifestsConfiguration manifests, ConfigurationErrors errors)
    {
        if (manifests.Folder is { } folder)
        {
            if (!Directory.Exists(folder)) errors.Rule("manifests.folder", $"There is no folder {folder}.");
        }
        else if (manifests.Prune)
        {
            errors.Rule("manifests.prune", "Without manifests.folder there is nothing to prune by.");
        }

        if (manifests.ExpectRevoked < 0) errors.Rule("manifests.expectRevoked", "This is a number of leases.");
    }

    private static void CheckLimits(BrokerLimits limits, ConfigurationErrors errors)
    {
        foreach (var property in typeof(BrokerLimits).GetProperties().Where(property => property.SetMethod is not null))
        {
            var path = $"limits.{System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(property.Name)}";
            if (property.GetValue(limits) is int and < 1) errors.Rule(path, "This must be 1 or more.");
            if (property.GetValue(limits) is TimeSpan span && span <= TimeSpan.Zero) errors.Rule(path, "This must be longer than nothing.");
        }

        if (limits.DefaultTaskLife > limits.LongestTaskLife) errors.Rule("limits.defaultTaskLife", "This is longer than limits.longestTaskLife.");
        if (limits.RequestIdsKept < limits.LongestTaskLife + limits.SupersedeWindow || limits.RequestIdsKept < IdentitySourceRules.LongestTokenLife * 2)
            errors.Rule("limits.requestIdsKept", "This must be at least limits.longestTaskLife and limits.supersedeWindow together, and at least 48h: no copy of a request may outlive the memory of it.");
        if (limits.TreesKept < limits.RequestIdsKept || limits.TreesKept < TimeSpan.FromDays(2))
            errors.Rule("limits.treesKept", "This must be at least limits.requestIdsKept, and at least 48h: a repeat of a request looks for what it made.");
        if (limits.SigningKeyLife < KeyRing.PublishedBeforeUse + KeyRing.VerifiesAfterUse)
            errors.Rule("limits.signingKeyLife", "This must be at least 49h: a successor is published a day before it signs, and what it replaces verifies for a day after.");
        if (limits.TreeDepth > 32) errors.Rule("limits.treeDepth", "A tree of tasks can be at most 32 deep.");
        if (limits.AttemptTimeout >= limits.ClaimFor)
            errors.Rule("limits.attemptTimeout", "This must be shorter than limits.claimFor, else a second node would start before the first has given up.");
    }

    internal static void CheckName(string path, string name, ConfigurationErrors errors)
    {
        if (!Name().IsMatch(name)) errors.Rule(path, "A name is 1 to 63 of a-z, 0-9 and hyphens, begins with a letter and does not end with a hyphen.");
    }

    private static void Require(string path, string value, ConfigurationErrors errors)
    {
        if (value.Length == 0) errors.Rule(path, "This is required.");
    }

    [GeneratedRegex(@"\A[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?\z", RegexOptions.NonBacktracking)]
    private static partial Regex Name();
}
