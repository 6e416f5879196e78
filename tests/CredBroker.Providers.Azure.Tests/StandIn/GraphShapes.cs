using System.Text.Json.Nodes;

namespace CredBroker.Providers.Azure.Tests.StandIn;

/// <summary>All members of Graph's objects as they were recorded, with what an object has by default.</summary>
internal static class GraphShapes
{
    private const string AnApplication =
        """
        {
          "id": null,
          "deletedDateTime": null,
          "appId": null,
          "applicationTemplateId": null,
          "disabledByMicrosoftStatus": null,
          "createdDateTime": null,
          "displayName": null,
          "description": null,
          "groupMembershipClaims": null,
          "identifierUris": [],
          "isDeviceOnlyAuthSupported": null,
          "isFallbackPublicClient": null,
          "notes": null,
          "publisherDomain": null,
          "serviceManagementReference": null,
          "signInAudience": "AzureADandPersonalMicrosoftAccount",
          "tags": [],
          "tokenEncryptionKeyId": null,
          "defaultRedirectUri": null,
          "certification": null,
          "optionalClaims": null,
          "addIns": [],
          "api": {
            "acceptMappedClaims": null,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": 2,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": []
          },
          "appRoles": [],
          "info": {
            "logoUrl": null,
            "marketingUrl": null,
            "privacyStatementUrl": null,
            "supportUrl": null,
            "termsOfServiceUrl": null
          },
          "keyCredentials": [],
          "parentalControlSettings": {
            "countriesBlockedForMinors": [],
            "legalAgeGroupRule": "Allow"
          },
          "passwordCredentials": [],
          "publicClient": {
            "redirectUris": []
          },
          "requiredResourceAccess": [],
          "verifiedPublisher": {
            "displayName": null,
            "verifiedPublisherId": null,
            "addedDateTime": null
          },
          "web": {
            "homePageUrl": null,
            "logoutUrl": null,
            "redirectUris": [],
            "implicitGrantSettings": {
              "enableAccessTokenIssuance": false,
              "enableIdTokenIssuance": false
            }
          },
          "spa": {
            "redirectUris": []
          }
        }
        """;

    private const string APrincipal =
        """
        {
          "id": null,
          "deletedDateTime": null,
          "accountEnabled": true,
          "alternativeNames": [],
          "appDisplayName": null,
          "appDescription": null,
          "appId": null,
          "applicationTemplateId": null,
          "appOwnerOrganizationId": null,
          "appRoleAssignmentRequired": false,
          "createdDateTime": null,
          "description": null,
          "disabledByMicrosoftStatus": null,
          "displayName": null,
          "homepage": null,
          "loginUrl": null,
          "logoutUrl": null,
          "notes": null,
          "notificationEmailAddresses": [],
          "preferredSingleSignOnMode": null,
          "preferredTokenSigningKeyThumbprint": null,
          "replyUrls": [],
          "servicePrincipalNames": [],
          "servicePrincipalType": "Application",
          "signInAudience": "AzureADandPersonalMicrosoftAccount",
          "tags": [],
          "tokenEncryptionKeyId": null,
          "samlSingleSignOnSettings": null,
          "addIns": [],
          "appRoles": [],
          "info": {
            "logoUrl": null,
            "marketingUrl": null,
            "privacyStatementUrl": null,
            "supportUrl": null,
            "termsOfServiceUrl": null
          },
          "keyCredentials": [],
          "oauth2PermissionScopes": [],
          "passwordCredentials": [],
          "resourceSpecificApplicationPermissions": [],
          "verifiedPublisher": {
            "displayName": null,
            "verifiedPublisherId": null,
            "addedDateTime": null
          }
        }
        """;

    public static JsonObject Application() => JsonNode.Parse(AnApplication)!.AsObject();

    public static JsonObject ServicePrincipal() => JsonNode.Parse(APrincipal)!.AsObject();
}
