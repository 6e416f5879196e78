using System.Buffers.Text;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace CredBroker.Client.Tokens;

internal sealed class CommandTokenSource : TokenSource, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);
    private readonly IReadOnlyList<string> _command;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _one = new(1);
    private string? _token;
    private DateTimeOffset _useUntil;

    public CommandTokenSource(IReadOnlyList<string> command, TimeProvider time)
    {
        if (command.Count == 0 || command[0].Length == 0) throw new ArgumentException("A token command names a program.");
        _command = command;
        _time = time;
    }

    public override async ValueTask<string> GetTokenAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_token is not null && _time.GetUtcNow() < _useUntil) return _token;
            _token = Checked(await RunAsync(cancellationToken).ConfigureAwait(false), $"The output of {_command[0]}");
            _useUntil = (Expiry(_token) ?? DateTimeOffset.MinValue + Margin) - Margin;
            return _token;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        // Its standard error stays the terminal's, so that it can ask somebody to log in; what it says is never ours to repeat.
        var start = new ProcessStartInfo(_command[0], _command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardInput = false };
        try
        {
            using var process = Process.Start(start) ?? throw Missing($"The token command {_command[0]} didn't start.");
            using var limit = new CancellationTokenSource(Limit, TimeProvider.System);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                var text = await ReadAsync(process.StandardOutput, either.Token).ConfigureAwait(false);
                await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
                return process.ExitCode == 0 ? text : throw Missing($"The token command {_command[0]} failed with exit code {process.ExitCode}.");
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested)
            {
                throw Missing($"The token command {_command[0]} took longer than {Limit.TotalSeconds:0} seconds.");
            }
            finally
            {
                if (!process.HasExited) process.Kill(entireProcessTree: true);
            }
        }
        catch (Win32Exception fault)
        {
            throw Missing($"The token command {_command[0]} can't be started: {fault.Message}", fault);
        }
    }

    private async Task<string> ReadAsync(StreamReader output, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var buffer = new char[4096];
        while (await output.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var count)
        {
            text.Append(buffer, 0, count);
            if (text.Length > MaxTokenBytes) throw Missing($"The token command {_command[0]} printed more than a token.");
        }

        return text.ToString();
    }

    // Only to know when to run the command again. The broker verifies; nothing here is trusted.
    private static DateTimeOffset? Expiry(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3) return null;
        try
        {
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
            return claims.RootElement.ValueKind == JsonValueKind.Object && claims.RootElement.TryGetProperty("exp", out var exp) && exp.TryGetInt64(out var seconds)
                ? DateTimeOffset.FromUnixTimeSeconds(seconds)
                : null;
        }
        catch (Exception fault) when (fault is FormatException or JsonException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }
}
