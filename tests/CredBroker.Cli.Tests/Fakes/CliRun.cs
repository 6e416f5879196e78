using CredBroker.Cli.Hosting;

namespace CredBroker.Cli.Tests.Fakes;

/// <summary>Runs the command in this process, with a folder and an environment of its own.</summary>
internal sealed class CliRun : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("credbroker-cli-");

    public Dictionary<string, string> Environment { get; } = [];

    public string Home => _home.FullName;

    public string Config => Path.Combine(Home, "credbroker", "config.yaml");

    public string? Input { get; set; }

    public bool Interactive { get; set; }

    public static CliRun Against(FakeBroker broker)
    {
        var run = new CliRun();
        run.Environment["CREDBROKER_ADDRESS"] = broker.Address.ToString();
        run.Environment["CREDBROKER_TOKEN_FILE"] = run.Write("token", FakeBroker.Token);
        return run;
    }

    /// <summary>Writes a file of mode 0600 below the home folder.</summary>
    public string Write(string name, string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        var path = Path.Combine(Home, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, mode);
        return path;
    }

    public Task<CliResult> RunAsync(params string[] args) => RunAsync(new StringWriter(), args);

    public async Task<CliResult> RunAsync(StringWriter error, params string[] args)
    {
        using var output = new StringWriter();
        var host = new CliHost
        {
            In = new StringReader(Input ?? ""),
            Out = output,
            Error = error,
            Environment = name => Environment.GetValueOrDefault(name),
            ConfigFolder = Home,
            Interactive = Interactive,
        };
        var code = await CommandLine.RunAsync(args, host);
        return new(code, output.ToString(), error.ToString());
    }

    public void Dispose() => _home.Delete(recursive: true);
}

/// <summary>Says when something was written to it.</summary>
internal sealed class HeardWriter(string awaited) : StringWriter
{
    private readonly TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Heard => _heard.Task;

    public override void WriteLine(string? value)
    {
        base.WriteLine(value);
        if (value?.Contains(awaited, StringComparison.Ordinal) == true) _heard.TrySetResult();
    }
}

internal sealed record CliResult(int Code, string Out, string Error)
{
    public override string ToString() => $"exit code {Code}\n{Out}\n{Error}";
}
