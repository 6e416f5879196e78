namespace CredBroker.Testing.Conformance;

/// <summary>A target that misbehaves, until this is disposed.</summary>
/// <param name="end">Makes it behave again.</param>
public sealed class Misbehaviour(Func<ValueTask> end) : IAsyncDisposable
{
    private readonly TaskCompletionSource _met = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How far the clock of a target with <see cref="TargetFault.ClockBehind"/> is behind the broker's.</summary>
    public static TimeSpan ClockOffset { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Completes when a call has met with it. Not for <see cref="TargetFault.ClockBehind"/>.</summary>
    public Task Met => _met.Task;

    /// <summary>One that ends by itself, or need not end.</summary>
    public static Misbehaviour WithoutEnd() => new(() => ValueTask.CompletedTask);

    /// <summary>A call has met with it.</summary>
    public void Meet() => _met.TrySetResult();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => end();
}
