"""Sentences about apps that are launched, authorized and given tokens."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from onc_conformance import authorization
from onc_conformance.smartwork import answered, contexts, discovered, identity

KIND = r"(?P<kind>public|symmetric|asymmetric)"


@when("an app fetches the SMART configuration", target_fixture="published")
def _(exam):
    return exam.smart.configuration()


@then("a JSON object comes back")
def _(published, verdict, rule):
    verdict(discovered.fetched(published, rule))


@then("it has the fields that its version of SMART App Launch demands")
def _(exam, published, verdict, rule):
    discovered.there(published)
    verdict(discovered.fields(exam.smart, published, rule))


@then("it lists the capabilities of the criterion")
def _(exam, published, verdict, rule):
    verdict(discovered.capable(exam.smart, published, rule))


@when("a script in a browser fetches what is published", target_fixture="browsed")
def _(exam):
    return exam.smart


@then("it may read it wherever it comes from")
def _(browsed, verdict, rule):
    verdict(discovered.shared(browsed, rule))


@when("an app fetches the capability statement without a token", target_fixture="statement")
def _(exam):
    return exam.smart.statement()


@then("its security extension has the addresses of authorization and token")
def _(statement, verdict, rule):
    verdict(discovered.stated(statement, rule))


@then("they are those of the SMART configuration")
def _(exam, statement, verdict, rule):
    verdict(discovered.agreeing(exam.smart.configuration().document, statement, rule))


@when(parsers.re(rf"the {KIND} app is launched by itself"), target_fixture="launch")
def _(exam, kind):
    return authorization.by_itself(exam, kind)


@when(parsers.re(rf"the {KIND} app is launched by itself with a request by POST"), target_fixture="launch")
def _(exam, kind):
    return authorization.posted(exam, kind)


@when(parsers.re(rf"the {KIND} app is launched from the EHR"), target_fixture="launch")
def _(exam, kind):
    return authorization.from_ehr(exam, kind)


@when("an app is launched from the EHR for scopes of the patient", target_fixture="launch")
def _(exam):
    return authorization.from_ehr_for_patient(exam)


@when("an app is launched by itself by a clinician who chooses a patient", target_fixture="launch")
def _(exam):
    return authorization.for_another(exam)


@when(parsers.re(r"an app is launched by itself for scopes of version (?P<form>[12])"), target_fixture="launch")
def _(exam, form):
    return authorization.in_form(exam, int(form))


@when("an app is launched by itself for parts of Conditions and Observations", target_fixture="launch")
def _(exam):
    return authorization.for_parts(exam)


@when("an app is launched by itself by a user who grants little", target_fixture="launch")
def _(exam):
    return authorization.for_few(exam)


@when("a token was got by hand", target_fixture="held")
def _(exam):
    return authorization.by_hand(exam)


@then("it opens the Patient it was given for")
def _(exam, held, verdict, rule):
    verdict(authorization.opens(exam, *held, rule))


@when("the app uses its refresh token", target_fixture="renewed")
def _(exam, launch):
    return authorization.refreshed(exam, launch)


@then("the app is given an access token")
def _(launch, verdict, rule):
    verdict(authorization.token_came(launch, rule))


@then("a code comes back")
def _(launch, verdict, rule):
    verdict(authorization.code_came(launch, rule))


@then("the state of the request comes back with the code at the registered address")
def _(exam, launch, verdict, rule):
    verdict(answered.told_well(launch, exam.smart.configuration().document.text("issuer"), rule))


@then("the token endpoint gives an access token for the code")
def _(launch, verdict, rule):
    verdict(authorization.exchanged(launch, rule))


@then("the answer is JSON that is not stored, with the type, life and scopes of a bearer token")
def _(launch, verdict, rule):
    verdict(answered.well_formed(launch.title, launch.given(), rule))


@then("there is a refresh token where offline access was granted")
def _(launch, verdict, rule):
    verdict(answered.refreshable(launch, rule))


@then("further resources in context are told as they must be")
def _(launch, verdict, rule):
    verdict(contexts.fhir_context(launch, rule))


@then("the scopes that were asked for are granted")
def _(launch, verdict, rule):
    verdict(answered.granted(launch, rule))


@then("the scopes for resources that were asked for are granted")
def _(launch, verdict, rule):
    verdict(answered.granted(launch, rule, resources=True))


@then("what the user granted is granted")
def _(launch, verdict, rule):
    verdict(authorization.few_granted(launch, rule))


@then("each granted scope opens its door")
def _(exam, launch, verdict, rule):
    verdict(authorization.doors(exam, launch, rule))


@then("the token opens the Patient in context")
def _(exam, launch, verdict, rule):
    verdict(contexts.patient(exam.smart, launch, rule))


@then("the token opens the Encounter in context")
def _(exam, launch, verdict, rule):
    exam.smart.needs("context-ehr-encounter")
    verdict(contexts.encounter(exam.smart, launch, rule))


@then("another access token is given for the same scopes and context")
def _(launch, renewed, verdict, rule):
    verdict(answered.renewed(launch, renewed, rule))


@then("it opens the Patient in context")
def _(exam, launch, renewed, verdict, rule):
    verdict(authorization.still_opens(exam, launch, renewed, rule))


@then("the EHR opened the app with its own address and a launch parameter")
def _(exam, launch, verdict, rule):
    verdict(authorization.opened(exam, launch, rule))


@then("the app is told whether a banner of the patient is needed")
def _(exam, launch, verdict, rule):
    exam.smart.needs("context-banner")
    verdict(contexts.banner(launch, rule))


@then("the app is told of a style it can fetch")
def _(exam, launch, verdict, rule):
    exam.smart.needs("context-style")
    verdict(contexts.style(exam.smart, launch, rule))


@then("the OpenID configuration of the issuer has all that apps must know")
def _(exam, launch, verdict, rule):
    exam.smart.needs("sso-openid-connect")
    verdict(identity.configured(exam.smart, launch, rule))


@then("the key set of the issuer has a public key to verify with")
def _(exam, launch, verdict, rule):
    exam.smart.needs("sso-openid-connect")
    verdict(identity.keyed(exam.smart, launch, rule))


@then("the answer has an id_token")
def _(exam, launch, verdict, rule):
    exam.smart.needs("sso-openid-connect")
    verdict(identity.issued(launch, rule))


@then("the id_token is signed with a published key")
def _(exam, launch, verdict, rule):
    verdict(identity.signed(exam.smart, launch, rule))


@then("the id_token is of this issuer, for this app and this launch, and good now")
def _(exam, launch, verdict, rule):
    verdict(identity.claimed(exam.smart, launch, rule))


@then("the fhirUser of the id_token can be read")
def _(exam, launch, verdict, rule):
    exam.smart.needs("sso-openid-connect")
    verdict(identity.user(exam.smart, launch, rule))
