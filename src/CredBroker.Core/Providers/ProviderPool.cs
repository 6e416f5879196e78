using CredBroker.Abstractions;
using CredBroker.Core.Registry;

namespace CredBroker.Core.Providers;

/// <summary>
/// One live provider for each configuration generation. A changed configuration makes a new one; the old one serves the calls that hold it and is
/// disposed after the last.
/// </summary>
public sealed class ProviderPool(ProviderTypes types, Catalog catalog, IProviderContexts contexts) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Uid, Instance> _instances = [];

    /// <summary>Takes the provider under its present configuration. Dispose what is returned when the call is over.</summary>
    /// <exception cref="ProviderException">It is not registered any more, or its type is not in this process.</exception>
    public ProviderUse Acquire(Uid provider)
    {
        if (!catalog.Current.TryFindProvider(provider, out var registered))
            throw new ProviderException(ProviderFault.Misconfigured, "The provider is not registered any more.", ProviderEffect.None);
        lock (_lock)
        {
            if (_instances.TryGetValue(provider, out var instance) && instance.Version == registered.Entry.Version) return instance.Use();
            instance?.Retire();
            instance = new Instance(registered.Entry.Version, Make(registered));
            _instances[provider] = instance;
            return instance.Use();
        }
    }

    /// <summary>A provider of a configuration that is not registered yet, to be checked and disposed.</summary>
    public IProvider Try(Registered<ProviderSpec> registered) => Make(registered);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            foreach (var instance in _instances.Values) instance.Retire();
            _instances.Clear();
        }

        return ValueTask.CompletedTask;
    }

    private IProvider Make(Registered<ProviderSpec> registered)
    {
        var type = types.Find(registered.Spec.Type)
            ?? throw new ProviderException(ProviderFault.Misconfigured, $"This server has no provider type {registered.Spec.Type}.", ProviderEffect.None);
        return type.Create(contexts.Of(registered, type.Local), registered.Spec.Config);
    }

    /// <summary>One generation, counting who uses it.</summary>
    private sealed class Instance(long version, IProvider provider)
    {
        private int _holds = 1;

        public long Version => version;

        public ProviderUse Use()
        {
            Interlocked.Increment(ref _holds);
            return new ProviderUse(provider, Release);
        }

        /// <summary>Gives back the pool's own hold: the last one disposes.</summary>
        public void Retire() => _ = Release().AsTask();

        private ValueTask Release() => Interlocked.Decrement(ref _holds) == 0 ? provider.DisposeAsync() : ValueTask.CompletedTask;
    }
}

/// <summary>A provider that is in use.</summary>
public sealed class ProviderUse(IProvider provider, Func<ValueTask> release) : IAsyncDisposable
{
    /// <summary>The provider.</summary>
    public IProvider Provider { get; } = provider;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => release();
}

/// <summary>What a provider is given: its own identity, its own secrets, the way out.</summary>
public interface IProviderContexts
{
    /// <summary>The context of one provider; <paramref name="local"/> types get the signer of lease tokens.</summary>
    ProviderContext Of(Registered<ProviderSpec> provider, bool local);
}
