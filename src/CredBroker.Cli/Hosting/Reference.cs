using System.CommandLine;
using System.Globalization;
using System.Text;

namespace CredBroker.Cli.Hosting;

/// <summary>Writes the reference of all commands, <c>docs/cli.md</c>, from the commands themselves.</summary>
internal static class Reference
{
    private const string Head =
        """
        # The `credbroker` command

        Generated from the commands: `CREDBROKER_UPDATE_DOCS=1 dotnet test tests/CredBroker.Cli.Tests` writes it anew.

        ## Where the broker is, and who is calling

        Options come first, then environment variables, then the file `~/.config/credbroker/config.yaml` (or what
        `CREDBROKER_CONFIG` names), which must be your own with mode 0600:

        ```yaml
        address: https://broker.example:8443
        tokenFile: /home/me/.config/credbroker/token   # your own file, mode 0600; read anew for every call
        # tokenCommand: [gcloud, auth, print-identity-token]   # or a command that prints a token, run without a shell
        # certificateAuthorityFile: /etc/ssl/broker-ca.pem
        ```

        A token is never given on a command line or in an environment variable, and a token command is taken from that file
        alone. Files that belong to somebody else, that others may use, and symbolic links are refused.

        ## Output

        Tables are for people. `--output json` prints what REST answers; lists are one object with the list under REST's name.
        `--output yaml` prints administered resources in the shape that `apply` takes. Control characters, escape sequences and
        characters that reorder or hide text are escaped in all three. Credentials are printed by `leases issue` and `leases renew` alone,
        and only with `--stdout`.

        ## Manifests

        `apply`, `diff` and `create` take files, folders (with the folders below) or `-`; a broker can apply a folder at its start.
        A file holds one or more documents, in the shape that `get -o yaml` and `export` print:

        ```yaml
        kind: Role                          # IdentitySource, Provider, Role, Hook or PolicySet
        name: providers/books/roles/reader  # or name: reader with parent: books
        spec:                               # the resource's fields, named as in the API's JSON
          kind: login
          maxTtl: 30m                       # durations: 90s, 15m, 1h30m; times: 2030-01-31 or 2030-01-31T12:00:00Z
          template:
            groups: [app_reader]
        ---
        kind: PolicySet
        name: base
        spec:
          kind: ceiling
          textFile: cedar/base.cedar        # or text: with the policies; a file below the folder, through no link
        ```

        `status`, which holds what the broker sets, is ignored. Whatever the order of files and documents, sources come before providers,
        roles, hooks and policy sets. What a manifest leaves out is not set, or has its default. Without `--prune` nothing is deleted, and
        suspensions are never touched. Unknown and duplicate keys, aliases, anchors, tags, symbolic links, invisible characters, plain
        words that readers of YAML take for different values (`yes`, `0x1F`), and anything too large or too deep are errors; all errors
        are reported at once, with file, line and column.

        ## Exit codes

        """;

    public static string Write(RootCommand root)
    {
        var text = new StringBuilder(Head);
        text.Append("\n| code | meaning |\n|---|---|\n");
        foreach (var (code, meaning) in ExitCodes.All) text.Append(CultureInfo.InvariantCulture, $"| {code} | {meaning} |\n");
        text.Append("\n## Options of every command\n\n");
        AppendOptions(text, root.Options.Where(option => option.Recursive && !IsStandard(option)));
        foreach (var command in root.Subcommands) Append(text, command, "credbroker", 2);
        return text.ToString();
    }

    private static void Append(StringBuilder text, Command command, string parents, int level)
    {
        var path = $"{parents} {command.Name}";
        text.Append('\n').Append('#', level).Append(" `").Append(path);
        foreach (var argument in command.Arguments) text.Append(" <").Append(argument.Name).Append(argument.Arity.MaximumNumberOfValues > 1 ? ">…" : ">");
        text.Append("`\n\n").Append(command.Description);
        if (command.Aliases.Count > 0) text.Append(" Also: ").AppendJoin(", ", command.Aliases.Select(alias => $"`{alias}`")).Append('.');
        text.Append('\n');
        var rows = command.Arguments.Select(argument => (Name: $"<{argument.Name}>", argument.Description)).ToList();
        if (rows.Count > 0) text.Append('\n');
        foreach (var (name, description) in rows) text.Append(CultureInfo.InvariantCulture, $"- `{name}`: {description}\n");
        var options = command.Options.Where(option => !IsStandard(option)).ToList();
        if (options.Count > 0 && rows.Count == 0) text.Append('\n');
        AppendOptions(text, options);
        foreach (var child in command.Subcommands) Append(text, child, path, level + 1);
    }

    private static void AppendOptions(StringBuilder text, IEnumerable<Option> options)
    {
        foreach (var option in options)
        {
            text.Append("- `").AppendJoin("`, `", option.Aliases.Prepend(option.Name)).Append('`');
            if (option.HelpName is { } value) text.Append(" `").Append(value).Append('`');
            text.Append(option.Required ? " (required): " : ": ").Append(option.Description);
            if (option.HasDefaultValue && option.GetDefaultValue() is { } standard and not false) text.Append(CultureInfo.InvariantCulture, $" Default: `{standard}`.");
            text.Append('\n');
        }
    }

    private static bool IsStandard(Option option) => option.Name is "--help" or "--version";
}
