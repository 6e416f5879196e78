using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CredBroker.Cli.Hosting;
using CredBroker.Client;

namespace CredBroker.Cli.Commands;

/// <summary>Where a credential goes: into a file of mode 0600, or to standard output when that was asked for by name.</summary>
internal sealed partial class CredentialOutput
{
    private readonly Option<string?> _file = Options.Text("--out-file", "A new file, mode 0600, for the credential.", "file");
    private readonly Option<bool> _overwrite = Options.Flag("--overwrite", "Replace the file if it's there.");
    private readonly Option<bool> _stdout = Options.Flag("--stdout", "Print the credential to standard output instead, and nothing else.");
    private readonly Option<string> _format = new("--format") { Description = "env: lines for a shell; json: one object.", HelpName = "env|json", DefaultValueFactory = _ => "env" };
    private readonly Option<string> _prefix = new("--prefix") { Description = "What the names of variables begin with.", HelpName = "text", DefaultValueFactory = _ => "CREDBROKER_" };

    public CredentialOutput()
    {
        _format.AcceptOnlyFromAmong("env", "json");
        _prefix.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !VariablePrefix().IsMatch(result.Tokens[0].Value)) result.AddError("--prefix is capital letters, digits and underscores, the first no digit.");
        });
    }

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _file, _overwrite, _stdout, _format, _prefix }) command.Add(option);
    }

    /// <summary>Finds out before anything is issued whether there is a place for it.</summary>
    public void Check(CliContext context)
    {
        var file = context.Get(_file);
        if (file is null == !context.Get(_stdout)) throw new CliException(ExitCodes.Usage, "Say where the credential goes: --out-file or --stdout.");
        if (file is null) return;
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file)))) throw new CliException(ExitCodes.Usage, $"There is no folder for {file}.");
        if (Directory.Exists(file) || (File.Exists(file) && !context.Get(_overwrite))) throw new CliException(ExitCodes.Usage, $"{file} is there already (--overwrite).");
    }

    /// <summary>Writes it. True when it went to standard output, which then has nothing else.</summary>
    public bool Write(CliContext context, string lease, DateTimeOffset expireTime, IReadOnlyDictionary<string, SecretValue> credential)
    {
        var text = context.Get(_format) == "json" ? Json(lease, expireTime, credential) : Env(context.Get(_prefix), lease, expireTime, credential);
        if (context.Get(_stdout))
        {
            context.Host.Out.Write(text);
            return true;
        }

        PrivateFile.WriteText(context.Get(_file)!, text, context.Get(_overwrite));
        return false;
    }

    private static string Json(string lease, DateTimeOffset expireTime, IReadOnlyDictionary<string, SecretValue> credential)
    {
        var fields = new JsonObject();
        foreach (var (name, value) in credential.OrderBy(pair => pair.Key, StringComparer.Ordinal)) fields[name] = value.Reveal();
        return new JsonObject { ["lease"] = lease, ["expireTime"] = Time(expireTime), ["credential"] = fields }.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";
    }

    private static string Env(string prefix, string lease, DateTimeOffset expireTime, IReadOnlyDictionary<string, SecretValue> credential)
    {
        var text = new StringBuilder();
        Add("LEASE", lease);
        Add("EXPIRE_TIME", Time(expireTime));
        foreach (var (name, value) in credential.OrderBy(pair => pair.Key, StringComparer.Ordinal)) Add(NotVariable().Replace(name, "_").ToUpperInvariant(), value.Reveal());
        return text.ToString();

        // In single quotes a shell takes everything as it is but the quote itself.
        void Add(string name, string value) => text.Append(prefix).Append(name).Append("='").Append(value.Replace("'", "'\\''", StringComparison.Ordinal)).Append("'\n");
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex("[^A-Za-z0-9_]", RegexOptions.NonBacktracking)]
    private static partial Regex NotVariable();

    [GeneratedRegex(@"\A[A-Z_][A-Z0-9_]*\z", RegexOptions.NonBacktracking)]
    private static partial Regex VariablePrefix();
}
