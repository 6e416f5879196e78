using System.CommandLine;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Hosting;

/// <summary>One run of a command: what was asked, and the means to do it.</summary>
internal sealed class CliContext(CliHost host, ParseResult parsed, CancellationToken cancellation) : IDisposable
{
    private BrokerClient? _client;

    public CliHost Host { get; } = host;

    public CancellationToken Cancellation { get; } = cancellation;

    public Printer Printer { get; } = new(host, parsed.GetValue(GlobalOptions.Output));

    /// <summary>The broker. Opened, and its settings read, when a command first needs it.</summary>
    public BrokerClient Client => _client ??= Open();

    public T Get<T>(Option<T> option) => parsed.GetValue(option)!;

    public T Get<T>(Argument<T> argument) => parsed.GetValue(argument)!;

    /// <summary>Asks the person, and takes silence for no. Without a person there, <c>--yes</c> is needed.</summary>
    public void Confirm(string question, bool yes)
    {
        if (yes) return;
        if (!Host.Interactive) throw new CliException(ExitCodes.Usage, $"{question} Say so by --yes.");
        Host.Error.Write($"{question} [y/N] ");
        var answer = Host.In.ReadLine();
        if (answer is not ("y" or "Y" or "yes")) throw new CliException(ExitCodes.Cancelled, "Nothing was changed.");
    }

    /// <summary>All of a list, page by page, up to a number.</summary>
    public async Task<IReadOnlyList<T>> ListAsync<T>(int limit, Func<string, int, Task<(IEnumerable<T> Items, string Next)>> page)
    {
        var all = new List<T>();
        for (var token = ""; ;)
        {
            var (items, next) = await page(token, Math.Min(1000, limit - all.Count));
            all.AddRange(items);
            if (next.Length == 0) return all;
            if (all.Count >= limit)
            {
                Host.Error.WriteLine($"Only the first {all.Count} are listed: there are more (--limit).");
                return all;
            }

            token = next;
        }
    }

    public void Dispose() => _client?.Dispose();

    private BrokerClient Open()
    {
        var settings = CliSettings.Read(Host, parsed.GetValue(GlobalOptions.Address), parsed.GetValue(GlobalOptions.TokenFile), parsed.GetValue(GlobalOptions.CaFile));
        try
        {
            return new(settings.ToOptions(Host, parsed.GetValue(GlobalOptions.Timeout) ?? TimeSpan.FromSeconds(30)));
        }
        catch (Exception fault) when (fault is ArgumentException or IOException or System.Security.Cryptography.CryptographicException)
        {
            throw new CliException(ExitCodes.Usage, fault.Message);
        }
    }
}
