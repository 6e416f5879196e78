using System.Diagnostics;
using System.Runtime.InteropServices;

namespace CredBroker.FaultHost;

/// <summary>Kills this process at one step, without a word to anybody: as a power cut does.</summary>
/// <param name="step">The step's name; empty for none.</param>
internal sealed class KillPoint(string step)
{
    private const int Kill = 9;
    private readonly string _intention = step.EndsWith(":inside", StringComparison.Ordinal) ? step[..^":inside".Length] : "";
    private int _inside;

    /// <summary>Whether it kills from now on.</summary>
    public bool Armed { get; set; }

    /// <summary>Something begins, or has returned.</summary>
    public void At(string reached)
    {
        if (Armed && reached == step) Die();
    }

    /// <summary>An intention begins.</summary>
    public void Enter(string intention)
    {
        At(intention + ":before");
        if (intention == _intention) Interlocked.Increment(ref _inside);
    }

    /// <summary>It is committed, and was answered.</summary>
    public void Leave(string intention)
    {
        if (intention == _intention) Interlocked.Decrement(ref _inside);
        At(intention + ":after");
    }

    /// <summary>A transaction has done everything but commit.</summary>
    public void BeforeCommit()
    {
        if (Armed && Volatile.Read(ref _inside) > 0) Die();
    }

    private void Die()
    {
        Console.Out.WriteLine($"killed at {step}");
        Console.Out.Flush();
        SendSignal(Environment.ProcessId, Kill);
        throw new UnreachableException();
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int process, int signal);
}
