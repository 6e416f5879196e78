using System.Reflection;
using CredBroker.Abstractions;
using CredBroker.Core.Leases;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.FaultHost;

/// <summary>What the wrapped provider does to a call, once.</summary>
internal enum Mishap
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It is refused: nothing is done.</summary>
    Refused,

    /// <summary>It is done, and its answer is lost.</summary>
    AnswerLost,
}

/// <summary>Puts a kill point before and behind every call of the seams, which are otherwise as the server composes them.</summary>
internal static class Watched
{
    /// <summary>Every store.</summary>
    public static void Stores(IServiceCollection services, KillPoint kill)
    {
        foreach (var store in KillSteps.Stores)
        {
            var registered = services.Single(service => service.ServiceType == store);
            services.AddSingleton(store, provider => Calls.Around(
                store, ActivatorUtilities.CreateInstance(provider, registered.ImplementationType!), method => $"{store.Name}.{method.Name}", kill, null));
        }
    }

    /// <summary>A provider type, whose providers are wrapped ability by ability.</summary>
    public static void Providers<TAbilities>(IServiceCollection services, KillPoint kill, Mishaps mishaps)
        where TAbilities : class, IProvider
    {
        var registered = services.Single(service => service.ServiceType == typeof(IProviderType));
        services.AddSingleton(provider =>
        {
            var type = DispatchProxy.Create<IProviderType, TypeOf<TAbilities>>();
            ((TypeOf<TAbilities>)(object)type).Set((IProviderType)ActivatorUtilities.CreateInstance(provider, registered.ImplementationType!), kill, mishaps);
            return type;
        });
        services.Remove(registered);
    }

    /// <summary>A provider type whose providers are wrapped.</summary>
    public class TypeOf<TAbilities> : DispatchProxy
        where TAbilities : class, IProvider
    {
        private IProviderType _inner = null!;
        private KillPoint _kill = null!;
        private Mishaps _mishaps = null!;

        internal void Set(IProviderType inner, KillPoint kill, Mishaps mishaps) => (_inner, _kill, _mishaps) = (inner, kill, mishaps);

        /// <inheritdoc/>
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var answer = targetMethod!.Invoke(_inner, args);
            if (targetMethod.Name != nameof(IProviderType.Create)) return answer;
            var missing = KillSteps.Abilities.Where(ability => ability.IsInstanceOfType(answer) != ability.IsAssignableFrom(typeof(TAbilities))).Select(ability => ability.Name).ToList();
            // A wrapper that hid an ability, or made one up, would prove something about another provider.
            if (missing.Count > 0) throw new InvalidOperationException($"The wrapped provider differs in {string.Join(", ", missing)}.");
            return Calls.Around(typeof(TAbilities), answer!, method => $"{method.DeclaringType!.Name}.{method.Name}", _kill, _mishaps);
        }
    }

    /// <summary>One object of a seam.</summary>
    public class Calls : DispatchProxy
    {
        private static readonly MethodInfo Typed = typeof(Calls).GetMethod(nameof(CallAsync), BindingFlags.NonPublic | BindingFlags.Instance)!;
        private object _inner = null!;
        private Func<MethodInfo, string> _name = null!;
        private KillPoint _kill = null!;
        private Mishaps? _mishaps;

        internal static object Around(Type seam, object inner, Func<MethodInfo, string> name, KillPoint kill, Mishaps? mishaps)
        {
            var proxy = Create(seam, typeof(Calls));
            var calls = (Calls)proxy;
            (calls._inner, calls._name, calls._kill, calls._mishaps) = (inner, name, kill, mishaps);
            return proxy;
        }

        /// <inheritdoc/>
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var name = _name(targetMethod!);
            if (targetMethod!.Name == nameof(ILeaseStore.ApplyAsync)) name = $"{name}({((LeaseChange)args![0]!).Event.GetType().Name})";
            if (typeof(Task).IsAssignableFrom(targetMethod.ReturnType))
            {
                var answer = targetMethod.ReturnType.IsGenericType ? targetMethod.ReturnType.GetGenericArguments()[0] : typeof(bool);
                return Typed.MakeGenericMethod(answer).Invoke(this, [name, targetMethod, args]);
            }

            // A listing is read as it comes: its beginning is a step, and so is what is done about it.
            if (targetMethod.ReturnType.Name.StartsWith("IAsyncEnumerable", StringComparison.Ordinal)) _kill.At(name + ":before");
            return targetMethod.Invoke(_inner, args);
        }

        private async Task<T> CallAsync<T>(string name, MethodInfo method, object?[] args)
        {
            _kill.Enter(name);
            var mishap = _mishaps?.Take(method.Name) ?? Mishap.None;
            if (mishap == Mishap.Refused) throw new ProviderException(ProviderFault.Credential, "It is refused.", ProviderEffect.None);
            var running = (Task)method.Invoke(_inner, args)!;
            await running;
            _kill.Leave(name);
            if (mishap == Mishap.AnswerLost) throw new ProviderException(ProviderFault.Unreachable, "The answer was lost.");
            return running is Task<T> typed ? await typed : default!;
        }
    }
}

/// <summary>What happens to the next call of a name.</summary>
internal sealed class Mishaps
{
    private readonly Dictionary<string, Mishap> _next = [];

    /// <summary>The next call of this name goes so.</summary>
    public void Next(string call, Mishap mishap)
    {
        lock (_next) _next[call] = mishap;
    }

    /// <summary>How this call goes.</summary>
    public Mishap Take(string call)
    {
        lock (_next) return _next.Remove(call, out var mishap) ? mishap : Mishap.None;
    }
}
