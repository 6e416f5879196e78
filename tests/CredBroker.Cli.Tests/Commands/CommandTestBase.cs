using CredBroker.Cli.Tests.Fakes;

namespace CredBroker.Cli.Tests.Commands;

/// <summary>A fake broker and a user with a configuration for each test.</summary>
public abstract class CommandTestBase
{
    private protected FakeBroker Broker { get; private set; } = null!;

    private protected CliRun Cli { get; private set; } = null!;

    [SetUp]
    public async Task Start()
    {
        Broker = await FakeBroker.StartAsync();
        Cli = CliRun.Against(Broker);
    }

    [TearDown]
    public async Task Stop()
    {
        Cli.Dispose();
        await Broker.DisposeAsync();
    }

    /// <summary>Runs the command, wants an exit code, and gives its output.</summary>
    private protected async Task<string> OutAsync(int code, params string[] args)
    {
        var result = await Cli.RunAsync(args);
        Assert.That(result.Code, Is.EqualTo(code), result.ToString());
        return result.Out;
    }

    private protected async Task<string> ErrorAsync(int code, params string[] args)
    {
        var result = await Cli.RunAsync(args);
        Assert.That(result.Code, Is.EqualTo(code), result.ToString());
        return result.Error;
    }

    private protected static string Lines(params string[] lines) => string.Concat(lines.Select(line => line + "\n"));
}
